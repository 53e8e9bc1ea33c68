"""KML: each placemark is an entity of the type `Placemark`.

Its properties are EntityID, Name, Description, what its extended data holds, and Geometry. The id is the extended
data's EntityID, else the placemark's `id`, else its number.
"""

from collections.abc import Iterator
from typing import IO

import pyarrow as pa
from lxml import etree

from proxy.exchange.batch import Failure, Rows
from proxy.exchange.kml_geometry import well_known_text
from proxy.exchange.kml_reader import KmlReader
from proxy.exchange.limits import BATCH_BYTES, BATCH_ROWS
from proxy.exchange.named import ENTITY_ID, GEOMETRY, property_name
from proxy.exchange.schema import EdmType, Property
from proxy.exchange.schema_rules import Declared

_TEXTS = {"name": Property("Name", EdmType.STRING), "description": Property("Description", EdmType.STRING)}
_TYPES = {
    **dict.fromkeys(("int", "uint", "short", "ushort"), EdmType.INT64),
    **dict.fromkeys(("float", "double"), EdmType.DOUBLE),
    "bool": EdmType.BOOLEAN,
}


class Kml:
    """The format."""

    suffix: str | None = ".kml"

    def declared(self, data: IO[bytes]) -> Declared:
        """The schema, from all placemarks: KML names a property where it has a value.

        Raises:
            UnusableError: the file is no KML.
        """
        reader = KmlReader()
        names: dict[str, str] = {}
        for _, placemark in reader.placemarks(data):
            for name, _value in _extended(placemark):
                names.setdefault(property_name(name).lower(), name)
        fixed = [ENTITY_ID, *_TEXTS.values()]
        taken = {property_.name.lower() for property_ in (*fixed, GEOMETRY)}
        more = [_property(name, reader.fields) for lower, name in names.items() if lower not in taken]
        return Declared("Placemark", (*fixed, *more, GEOMETRY), (ENTITY_ID.name,))

    def rows(self, data: IO[bytes], declared: Declared) -> Iterator[Rows]:
        """The placemarks.

        Raises:
            UnusableError: the file is no well-formed XML.
        """
        rows: list[dict[str, str]] = []
        places: list[str] = []
        failures: list[Failure] = []
        size = 0

        def collected() -> Rows:
            columns = [
                pa.array([row.get(property_.name.lower()) for row in rows], pa.string())
                for property_ in declared.properties
            ]
            return Rows(columns, list(places).__getitem__, tuple(failures))

        for number, (line, placemark) in enumerate(KmlReader().placemarks(data), 1):
            place = f"placemark {number} (line {line})"
            row = _row(placemark, number)
            try:
                shape = well_known_text(placemark)
            except ValueError as error:
                failures.append(Failure(place, row[ENTITY_ID.name.lower()], f"{GEOMETRY.name} {error}", len(rows)))
            else:
                rows.append(row | ({GEOMETRY.name.lower(): shape} if shape else {}))
                places.append(place)
                size += len(shape or "")
            size += sum(map(len, row.values()))
            if len(rows) + len(failures) >= BATCH_ROWS or size >= BATCH_BYTES:
                yield collected()
                rows, places, failures, size = [], [], [], 0
        yield collected()


def _property(name: str, fields: dict[str, str]) -> Property:
    return Property(property_name(name), _TYPES.get(fields.get(name, ""), EdmType.STRING))


def _extended(placemark: etree._Element) -> Iterator[tuple[str, str]]:
    for data in placemark.iterfind("ExtendedData/Data"):
        yield data.get("name", ""), data.findtext("value") or ""
    for data in placemark.iterfind("ExtendedData/SchemaData/SimpleData"):
        yield data.get("name", ""), data.text or ""


def _row(placemark: etree._Element, number: int) -> dict[str, str]:
    """The texts of a placemark by their properties' names in lower case."""
    row = {property_name(name).lower(): value for name, value in _extended(placemark)}
    row.pop(GEOMETRY.name.lower(), None)
    for tag, property_ in _TEXTS.items():
        text = placemark.findtext(tag)
        if text is not None:
            row[property_.name.lower()] = text
    id_ = row.get(ENTITY_ID.name.lower()) or placemark.get("id") or str(number)
    return row | {ENTITY_ID.name.lower(): id_}
