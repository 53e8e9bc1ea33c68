"""KML (OGC KML 2.2): each placemark is an entity of the type `Placemark`.

Its properties are EntityID, Name, Description, what its extended data holds, and Geometry. The id is the extended
data's EntityID, else the placemark's `id`, else its number.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO

import pyarrow as pa
from lxml.etree import _Element

from proxy.formats.batches import Note, RawRows
from proxy.formats.kml.geometry import has_geometry, to_wkb
from proxy.formats.limits import MAX_ELEMENTS, MAX_ID_LENGTH, MAX_PROPERTIES, MAX_STRING_LENGTH, LoadLimits
from proxy.formats.property_names import (
    ENTITY_ID,
    GEOMETRY,
    LOCATION,
    UniqueIds,
    derive_property_names,
    find_role_column,
)
from proxy.formats.row_collector import RowCollector
from proxy.formats.schema import EdmType, InvalidDataError, Property
from proxy.formats.schema_validation import DeclaredSchema
from proxy.formats.xml.parser import XmlParser, local_name

_NAME, _DESCRIPTION = Property("Name", EdmType.STRING), Property("Description", EdmType.STRING)
_FIXED = (ENTITY_ID, _NAME, _DESCRIPTION)
_TYPES = {
    **dict.fromkeys(("int", "uint", "short", "ushort"), EdmType.INT64),
    **dict.fromkeys(("float", "double"), EdmType.DOUBLE),
    "bool": EdmType.BOOLEAN,
}
_MOST_FIELDS = 5_000
_LONGEST_DATA_NAME = 1_000

Data = tuple[str, int]
"""The name of data, and how many of that name precede it in the placemark: no value is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _PlacemarkSchema(DeclaredSchema):
    """The schema, and what it was made from: the property of each data, and the ids that the file gives."""

    names: Mapping[Data, str]
    location: Mapping[str, Data]
    ids: frozenset[str]


class Kml:
    """The format. A file of more placemarks than the limit is refused."""

    suffix: str | None = ".kml"

    def __init__(self, limits: LoadLimits) -> None:
        self._most = limits.entities

    def read_schema(self, data: IO[bytes]) -> DeclaredSchema:
        """The schema, from all placemarks: KML names a property where it has a value.

        Raises:
            InvalidDataError: the file is no KML, or names too many properties.
        """
        fields: dict[str, str] = {}
        names: dict[Data, None] = {}
        ids: set[str] = set()
        has_place = False
        for number, placemark in enumerate(_placemarks(data, fields), 1):
            if number > self._most:
                raise InvalidDataError(f"there are more than {self._most:,} entities")
            texts = _extended_data(placemark)
            names.update(dict.fromkeys(texts))
            if len(names) > MAX_PROPERTIES:
                line = placemark.sourceline
                raise InvalidDataError(f"line {line}: up to here, the data has more than {MAX_PROPERTIES} names")
            own = _own_id(placemark, texts)
            if len(own) <= MAX_ID_LENGTH:
                ids.add(own)
            has_place = has_place or has_geometry(placemark)
        return _schema([*names], fields, frozenset(ids), has_place=has_place)

    def read_rows(self, data: IO[bytes], declared: DeclaredSchema) -> Iterator[RawRows]:
        """The placemarks.

        Raises:
            InvalidDataError: the file is no well-formed XML.
        """
        assert isinstance(declared, _PlacemarkSchema)  # noqa: S101  it is what `declared` gave
        rows, ids = RowCollector(declared, pa.binary()), UniqueIds(declared.ids)
        for number, placemark in enumerate(_placemarks(data, {}), 1):
            place = f"placemark {number} (line {placemark.sourceline})"
            texts = _extended_data(placemark)
            id_, reason = ids.assign(_own_id(placemark, texts), number)
            if reason:
                rows.note(Note.for_derived_id(place, id_, reason))
            try:
                wkb = to_wkb(placemark)
            except ValueError as error:
                rows.fail(place, id_, f"{GEOMETRY.name} {error}")
            else:
                row = _row(declared, placemark, texts, has_place=wkb is not None) | {ENTITY_ID.name: id_}
                for note in _cut(declared, row):
                    rows.note(Note(place, id_, note))
                values = [wkb if one is GEOMETRY else row.get(one.name) for one in declared.properties]
                rows.add(place, values, sum(map(len, filter(None, values))))
            if rows.is_full:
                yield rows.pop_rows()
        yield rows.pop_rows()


def _placemarks(data: IO[bytes], fields: dict[str, str]) -> Iterator[_Element]:
    """The placemarks in the file's order; adds the types of the schemas' fields to `fields`."""
    parser = XmlParser(data, lambda element: local_name(element) != "Placemark")
    if parser.root_name != "kml":
        raise InvalidDataError(f"the root element is {parser.root_name[:50]}, not kml")
    for element in parser:
        yield from _placemarks_in(element, fields)


def _placemarks_in(element: _Element, fields: dict[str, str]) -> Iterator[_Element]:
    name = local_name(element)
    if name == "Placemark":
        if sum(1 for _ in element.iter()) > MAX_ELEMENTS:
            raise InvalidDataError(f"line {element.sourceline}: a placemark of more than {MAX_ELEMENTS:,} elements")
        yield element
        return
    if name == "SimpleField" and len(fields) < _MOST_FIELDS:
        fields[_attribute(element, "name")[:_LONGEST_DATA_NAME]] = _attribute(element, "type")[:_LONGEST_DATA_NAME]
    for child in element:
        yield from _placemarks_in(child, fields)


def _schema(found: list[Data], fields: Mapping[str, str], ids: frozenset[str], *, has_place: bool) -> _PlacemarkSchema:
    """The schema of these data. Latitude and Longitude among them locate a placemark without a geometry."""
    spelled = [name for name, _ in found]
    roles = (ENTITY_ID,) if has_place else (ENTITY_ID, *LOCATION)
    names = derive_property_names(spelled, roles, (*_FIXED, GEOMETRY, *LOCATION))
    columns = {one: find_role_column(spelled, one) for one in LOCATION}
    location = {one: found[column] for one, column in columns.items() if column is not None}
    more = [
        Property(name, _TYPES.get(fields.get(spelling, "").rpartition(":")[2], EdmType.STRING))
        for name, spelling in zip(names, spelled, strict=True)
        if name not in {role.name for role in roles}
    ]
    return _PlacemarkSchema(
        "Placemark",
        (*_FIXED, *more, GEOMETRY, *location),
        (ENTITY_ID.name,),
        names=dict(zip(found, names, strict=True)),
        location={one.name: data for one, data in location.items()},
        ids=ids,
    )


def _extended_data(placemark: _Element) -> dict[Data, str]:
    """The extended data of a placemark: of KML's own forms, then elements of other namespaces, which KML allows."""
    elements = placemark.findall("{*}ExtendedData/*")
    values = [
        *((_attribute(one, "name"), one.find("{*}value")) for one in elements if local_name(one) == "Data"),
        *((_attribute(one, "name"), one) for one in placemark.iterfind("{*}ExtendedData/{*}SchemaData/{*}SimpleData")),
        *((local_name(one), one) for one in elements if local_name(one) not in {"Data", "SchemaData"}),
    ]
    counts: Counter[str] = Counter()
    texts: dict[Data, str] = {}
    for spelling, value in values:
        name = spelling[:_LONGEST_DATA_NAME]
        texts[name, counts[name]] = _text(value)
        counts[name] += 1
    return texts


def _attribute(element: _Element, *names: str) -> str:
    """The value of an attribute, in a namespace or not, by the first of these names that has one."""
    values = {str(key).rpartition("}")[2]: str(value) for key, value in element.items()}
    return next((values[name] for name in names if values.get(name)), "")


def _text(element: _Element | None) -> str:
    """The text of an element; also that of a description which is written as elements."""
    return "" if element is None else "".join(element.itertext())


def _own_id(placemark: _Element, texts: Mapping[Data, str]) -> str:
    """The id that the file gives; empty if there is none."""
    column = find_role_column([name for name, _ in texts], ENTITY_ID)
    own = "" if column is None else [*texts.values()][column].strip()
    return own or _attribute(placemark, "id", "ID").strip()


def _row(
    declared: _PlacemarkSchema, placemark: _Element, texts: Mapping[Data, str], *, has_place: bool
) -> dict[str, str]:
    """The texts of a placemark by their properties' names; with its location, where only its data have that."""
    row = {declared.names[data]: value for data, value in texts.items()}
    for tag, property_ in (("{*}name", _NAME), ("{*}description", _DESCRIPTION)):
        element = placemark.find(tag)
        if element is not None:
            row[property_.name] = _text(element)
    if not has_place:
        row |= {name: texts[data] for name, data in declared.location.items() if data in texts}
    return row


def _cut(declared: DeclaredSchema, row: dict[str, str]) -> Iterator[str]:
    """Cuts what is longer than a text may be, and gives a note on each."""
    for property_ in declared.properties:
        length = len(row.get(property_.name, ""))
        if property_.type is EdmType.STRING and length > MAX_STRING_LENGTH:
            row[property_.name] = row[property_.name][:MAX_STRING_LENGTH]
            yield f"{property_.name} has {length:,} characters and is cut to {MAX_STRING_LENGTH:,}"
