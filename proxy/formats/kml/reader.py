"""KML: each placemark is an entity of the type `Placemark`.

Its properties are EntityID, Name, Description, what its extended data holds, and Geometry. The id is the extended
data's EntityID, else the placemark's `id`, else its number.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO
from xml.etree.ElementTree import Element

from proxy.formats.batches import Note, RawRows, RowError
from proxy.formats.kml.geometry import has_geometry, wkb
from proxy.formats.kml.placemarks import LONGEST_DATA_NAME, KmlReader
from proxy.formats.limits import LONGEST_ID, LONGEST_STRING, MOST_PROPERTIES, LoadLimits
from proxy.formats.property_names import ENTITY_ID, GEOMETRY, PLACE, UniqueIds, find_role_column, property_names
from proxy.formats.row_collector import RowCollector
from proxy.formats.schema import EdmType, InvalidDataError, Property
from proxy.formats.schema_validation import DeclaredSchema

_NAME, _DESCRIPTION = Property("Name", EdmType.STRING), Property("Description", EdmType.STRING)
_FIXED = (ENTITY_ID, _NAME, _DESCRIPTION)
_TYPES = {
    **dict.fromkeys(("int", "uint", "short", "ushort"), EdmType.INT64),
    **dict.fromkeys(("float", "double"), EdmType.DOUBLE),
    "bool": EdmType.BOOLEAN,
}
_KNOWN_DATA = {"Data", "SchemaData"}

Data = tuple[str, int]
"""The name of data, and how many of that name stand before it in the placemark: no value is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named(DeclaredSchema):
    """The schema, and what it was made from: which property each data is, and the ids that the file gives."""

    names: Mapping[Data, str]
    place: tuple[Data | None, ...]
    ids: frozenset[str]


class Kml:
    """The format. A file of more placemarks than the limit is refused."""

    suffix: str | None = ".kml"

    def __init__(self, limits: LoadLimits) -> None:
        self._most = limits.entities

    def declared(self, data: IO[bytes]) -> DeclaredSchema:
        """The schema, from all placemarks: KML names a property where it has a value.

        Raises:
            UnusableError: the file is no KML, or names too many properties.
        """
        reader = KmlReader()
        found: dict[Data, None] = {}
        ids: set[str] = set()
        has_place = False
        for number, (line, placemark) in enumerate(reader.placemarks(data), 1):
            if number > self._most:
                raise InvalidDataError(f"there are more than {self._most:,} entities")
            texts = _extended(placemark)
            found.update(dict.fromkeys(texts))
            if len(found) > MOST_PROPERTIES:
                raise InvalidDataError(f"line {line}: up to here, the data has more than {MOST_PROPERTIES} names")
            own = _own_id(placemark, texts)
            if len(own) <= LONGEST_ID:
                ids.add(own)
            has_place = has_place or has_geometry(placemark)
        return _named([*found], reader.fields, frozenset(ids), has_place=has_place)

    def rows(self, data: IO[bytes], declared: DeclaredSchema) -> Iterator[RawRows]:
        """The placemarks.

        Raises:
            UnusableError: the file is no well-formed XML.
        """
        assert isinstance(declared, _Named)  # noqa: S101  it is what `declared` gave
        collected, ids = RowCollector(declared), UniqueIds(declared.ids)
        for number, (line, placemark) in enumerate(KmlReader().placemarks(data), 1):
            place = f"placemark {number} (line {line})"
            texts = _extended(placemark)
            id_, why = ids.take(_own_id(placemark, texts), number)
            if why:
                collected.note(Note.of_id(place, id_, why))
            try:
                shape = wkb(placemark)
            except ValueError as error:
                collected.fail(RowError(place, id_, f"{GEOMETRY.name} {error}"))
            else:
                row = _row(declared, placemark, texts, in_place=shape is None) | {ENTITY_ID.name: id_}
                for note in _cut(declared, row):
                    collected.note(Note(place, id_, note))
                collected.add(place, [shape if one is GEOMETRY else row.get(one.name) for one in declared.properties])
            if collected.full:
                yield collected.take()
        yield collected.take()


def _named(found: list[Data], fields: Mapping[str, str], ids: frozenset[str], *, has_place: bool) -> _Named:
    """The schema of these data. Latitude and Longitude among them are the place where a placemark has no geometry."""
    spelled = [name for name, _ in found]
    roles = (ENTITY_ID,) if has_place else (ENTITY_ID, *PLACE)
    names = property_names(spelled, roles, (*_FIXED, GEOMETRY, *PLACE))
    places = [find_role_column(spelled, one) for one in PLACE]
    more = [
        Property(name, _TYPES.get(fields.get(written, "").rpartition(":")[2], EdmType.STRING))
        for name, written in zip(names, spelled, strict=True)
        if name not in {role.name for role in roles}
    ]
    place = [one for one, at in zip(PLACE, places, strict=True) if at is not None]
    return _Named(
        "Placemark",
        (*_FIXED, *more, GEOMETRY, *place),
        (ENTITY_ID.name,),
        names=dict(zip(found, names, strict=True)),
        place=tuple(None if at is None else found[at] for at in places),
        ids=ids,
    )


def _extended(placemark: Element) -> dict[Data, str]:
    """The extended data of a placemark."""
    seen: Counter[str] = Counter()
    texts: dict[Data, str] = {}
    for name, value in _written(placemark):
        texts[name, seen[name]] = value
        seen[name] += 1
    return texts


def _written(placemark: Element) -> Iterator[tuple[str, str]]:
    for data in placemark.iterfind("ExtendedData/Data"):
        yield data.get("name", "")[:LONGEST_DATA_NAME], _text(data.find("value"))
    for data in placemark.iterfind("ExtendedData/SchemaData/SimpleData"):
        yield data.get("name", "")[:LONGEST_DATA_NAME], _text(data)
    for data in placemark.iterfind("ExtendedData/*"):
        if data.tag not in _KNOWN_DATA:  # elements of a namespace of its own, which KML allows
            yield data.tag[:LONGEST_DATA_NAME], _text(data)


def _text(element: Element | None) -> str:
    """The text of an element; also that of a description which is written as elements."""
    return "" if element is None else "".join(element.itertext())


def _own_id(placemark: Element, texts: Mapping[Data, str]) -> str:
    """The id that the file gives; empty if there is none."""
    at = find_role_column([name for name, _ in texts], ENTITY_ID)
    own = "" if at is None else [*texts.values()][at].strip()
    return own or (placemark.get("id") or placemark.get("ID") or "").strip()


def _row(declared: _Named, placemark: Element, texts: Mapping[Data, str], *, in_place: bool) -> dict[str, str]:
    """The texts of a placemark by their properties' names; with its place, where its data have to say that."""
    row = {declared.names[data]: value for data, value in texts.items()}
    for tag, property_ in (("name", _NAME), ("description", _DESCRIPTION)):
        element = placemark.find(tag)
        if element is not None:
            row[property_.name] = _text(element)
    if in_place:
        row |= {
            one.name: texts[data] for one, data in zip(PLACE, declared.place, strict=True) if data and data in texts
        }
    return row


def _cut(declared: DeclaredSchema, row: dict[str, str]) -> Iterator[str]:
    """Cuts what is longer than a text may be, and says so."""
    for property_ in declared.properties:
        length = len(row.get(property_.name, ""))
        if property_.type is EdmType.STRING and length > LONGEST_STRING:
            row[property_.name] = row[property_.name][:LONGEST_STRING]
            yield f"{property_.name} has {length:,} characters and is cut to {LONGEST_STRING:,}"
