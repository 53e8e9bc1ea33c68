"""XML data sources: the schema, and the entities in any form: any order, namespaces, CDATA, comments, wrappers."""

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import IO

import pyarrow as pa
from lxml.etree import _Element

from proxy.formats.batches import RawRows
from proxy.formats.limits import MAX_ID_LENGTH
from proxy.formats.row_collector import RowCollector
from proxy.formats.schema import InvalidDataError
from proxy.formats.schema_validation import DeclaredSchema
from proxy.formats.xml.parser import XmlParser, local_name
from proxy.formats.xml.schema import SCHEMA, parse_schema

_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_MOST_LAYOUTS = 1_000
_SHOWN = 50

Layout = Callable[[list[str | None]], Sequence[str | None]]


class DataSetXml:
    """The format."""

    suffix: str | None = None

    def read_schema(self, data: IO[bytes]) -> DeclaredSchema:
        """The schema, the first child of the root.

        Raises:
            InvalidDataError: the first child is none, or one that a data source can't have.
        """
        for first in XmlParser(data, _refuse_other):
            _refuse_other(first)
            return parse_schema(first)
        raise InvalidDataError("the XML has no schema (xs:schema) as the first child of its root")

    def read_rows(self, data: IO[bytes], declared: DeclaredSchema) -> Iterator[RawRows]:
        """The entities.

        Raises:
            InvalidDataError: the file is no well-formed XML, or one of its elements is too large.
        """
        reader = _EntityReader(declared)
        parser = XmlParser(data, reader.is_wrapper)
        elements = iter(parser)
        next(elements)  # the schema
        size = 0
        for element in elements:
            reader.read(element, parser.size - size)
            size = parser.size
            if reader.rows.is_full:
                yield reader.rows.pop_rows()
        yield reader.rows.pop_rows()


def _refuse_other(first: _Element) -> bool:
    """Refuses a first child of the root that is no schema; a schema is read as a whole."""
    if first.tag != SCHEMA:
        raise InvalidDataError(
            f"line {first.sourceline}: the first child of the root has to be the schema (xs:schema), "
            f"not {local_name(first)[:_SHOWN]}"
        )
    return False


class _EntityReader:
    """Reads elements into rows. Those around entities are wrappers; others that are no entities fail.

    Most entities of a file have the same properties in the same order, a layout. It is checked once, and remembered.
    """

    def __init__(self, declared: DeclaredSchema) -> None:
        self.rows = RowCollector(declared, pa.string())
        self._name, self._count = declared.name, 0
        self._properties = [property_.name for property_ in declared.properties]
        self._columns = {name.lower(): column for column, name in enumerate(self._properties)}
        self._key = self._columns.get(declared.keys[0].lower(), 0)
        self._layouts: dict[tuple[object, ...], Layout] = {}

    def is_wrapper(self, element: _Element) -> bool:
        """Whether there are entities in an element that is none itself."""
        return local_name(element) != self._name and next(element.iter(f"{{*}}{self._name}"), None) is not None

    def read(self, element: _Element, size: int) -> None:
        """Adds a complete element: an entity, a wrapper of entities, or another one, which fails."""
        name = local_name(element)
        if name != self._name and self.is_wrapper(element):
            for child in element:
                self.read(child, size)
            return
        self._count += 1
        place = f"entity {self._count} (line {element.sourceline})"
        values, problem = self._read_properties(element)
        if name != self._name:
            problem = f"is no {self._name} but {name[:_SHOWN]}"
        if problem is None:
            self.rows.add(place, values, size)
        else:
            id_ = (values[self._key] or "").strip()[:MAX_ID_LENGTH]
            self.rows.fail(place, id_ or None, problem)

    def _read_properties(self, entity: _Element) -> tuple[Sequence[str | None], str | None]:
        """The texts of an entity's properties, in the order of the schema, and the first problem."""
        children = entity[:]
        tags = tuple([child.tag for child in children])
        layout = self._layouts.get(tags) or self._add_layout(tags)
        texts = [child.text for child in children]
        if None in texts:
            texts = [_text_of(child) for child in children]
        beside = [entity.text or "", *[child.tail or "" for child in children]]
        if layout is None or any(map(len, children)) or "".join(beside).strip():
            return self._diagnose(children, beside)
        texts.append(None)
        return layout(texts), None

    def _add_layout(self, tags: tuple[object, ...]) -> Layout | None:
        """Picks the columns out of the texts of these elements; None if they don't fit the schema."""
        columns = [self._find_column(tag) for tag in tags]
        if None in columns or len({*columns}) < len(columns):
            return None
        places = [columns.index(column) if column in columns else -1 for column in range(len(self._properties))]
        layout: Layout = itemgetter(*places) if len(places) > 1 else lambda texts: [texts[places[0]]]
        if len(self._layouts) < _MOST_LAYOUTS:
            self._layouts[tags] = layout
        return layout

    def _find_column(self, tag: object) -> int | None:
        return self._columns.get(str(tag).rpartition("}")[2].lower())

    def _diagnose(self, children: list[_Element], beside: list[str]) -> tuple[list[str | None], str | None]:
        """The same for an entity with a problem."""
        values: list[str | None] = [None] * len(self._properties)
        problems = [_beside(beside[0])]
        for child, tail in zip(children, beside[1:], strict=True):
            column, name = self._find_column(child.tag), local_name(child)[:_SHOWN]
            if column is None:
                problems.append(f"has a property that the schema doesn't name: {name}")
            else:
                if values[column] is not None:
                    problems.append(f"has {name} twice")
                if len(child):
                    inner = local_name(child[0])[:_SHOWN]
                    problems.append(f"has elements inside of {self._properties[column]}: {inner}")
                values[column] = _text_of(child)
            problems.append(_beside(tail))
        return values, next(filter(None, problems), None)


def _text_of(child: _Element) -> str | None:
    return child.text or (None if child.get(_NIL) in {"true", "1"} else "")


def _beside(text: str) -> str | None:
    return f"has text beside its properties: {text.strip()[:_SHOWN]}" if text.strip() else None
