"""Sound KML documents and shapefiles."""

import random
import struct

from tests.unit.formats.shapefiles import FOXPRO, dbf, point, several, shp
from tests.unit.formats.test_kml import LINE, POINT, SQUARE, data, extended, kml, placemark

_PARTS = (
    POINT,
    LINE,
    SQUARE,
    f"<MultiGeometry>{LINE}{LINE}</MultiGeometry>",
    f"<MultiGeometry>{SQUARE}{SQUARE}</MultiGeometry>",
    f"<MultiGeometry>{POINT}{POINT}</MultiGeometry>",
)
_DATA = (
    "",
    extended(data("Höhe", "7") + data("Latitude", "1")),
    extended('<SchemaData><SimpleData name="pop">7</SimpleData></SchemaData>'),
    "<description><![CDATA[<b>d</b>]]></description>",
    extended(data("EntityID", "mine")),
)
_SCHEMA = '<Schema><SimpleField name="pop" type="int"/></Schema>'

# Name, letter, length, decimals, and some values that such a field may have.
_FIELDS = (
    (("NAME", "C", 10, 0), (b"Caf\xc3\xa9", b"", b"Shop")),
    (("POP", "N", 8, 0), (b"12", b"", b"-7")),
    (("AREA", "F", 8, 2), (b"1.5", b"")),
    (("OPEN", "L", 1, 0), (b"T", b"?")),
    (("MADE", "D", 8, 0), (b"20100203", b"")),
    (("ENTITYID", "C", 5, 0), (b"a", b"b", b"c")),
)
_FOXPRO = (
    (("T", "T", 8, 0), (bytes(8), struct.pack("<2I", 2_455_231, 43_200_000))),
    (("I", "I", 4, 0), (b"\x07\0\0\0",)),
    (("B", "B", 8, 0), (struct.pack("<d", 2.5),)),
    (("Y", "Y", 8, 0), (struct.pack("<q", -12_345),)),
)
_RING = [(0.0, 0.0, 1.0), (0.0, 9.0, 2.0), (9.0, 9.0, 3.0), (0.0, 0.0, 1.0)]
_HOLE = [(1.0, 4.0, 1.0), (2.0, 5.0, 1.0), (1.0, 5.0, 1.0), (1.0, 4.0, 1.0)]
_SHAPES = {
    1: point(1.5, 2.5),
    11: point(1.5, 2.5, 3.5, 4.5, kind=11),
    21: point(1.5, 2.5, 4.5, kind=21),
    3: several(3, [one[:2] for one in _RING]),
    13: several(13, _RING),
    5: several(5, [one[:2] for one in (*_RING, *_HOLE)], (0, 4)),
    15: several(15, (*_RING, *_HOLE), (0, 4)),
    8: several(8, [one[:2] for one in _RING]),
    18: several(18, _RING),
}
_NULL = struct.pack("<i", 0)


def kml_file(dice: random.Random) -> bytes:
    """A KML document of some placemarks."""
    marks = [
        placemark(dice.choice(_DATA), dice.choice(_PARTS), dice.choice(["", f' id="p{number}"']))
        for number in range(dice.choice([1, 2, 5, 20]))
    ]
    if dice.random() < 0.3:
        marks = [f"<Folder><name>f</name>{''.join(marks)}</Folder>"]
    return kml(*([_SCHEMA] if dice.random() < 0.5 else []), *marks)


def sound_set(dice: random.Random) -> dict[str, bytes]:
    """The files of a shapefile, by suffix."""
    count, kind = dice.choice([1, 3, 10]), dice.choice([*_SHAPES])
    shapes = [_NULL if dice.random() < 0.05 else _SHAPES[kind] for _ in range(count)]
    is_foxpro = dice.random() < 0.3
    chosen = dice.sample(_FIELDS + (_FOXPRO if is_foxpro else ()), dice.randrange(1, 7))
    rows = [[dice.choice(values) for _, values in chosen] for _ in range(count)]
    deleted = [number for number in range(1, count + 1) if dice.random() < 0.1]
    table = dbf([field for field, _ in chosen], rows, version=FOXPRO if is_foxpro else 3, deleted=deleted)
    files = {"shp": shp(*shapes, kind=kind), "dbf": table}
    more = {"prj": b'GEOGCS["WGS 84",DATUM["WGS_1984"]]', "cpg": dice.choice([b"UTF-8", b"ANSI 1252", b"88591"])}
    return files | {suffix: text for suffix, text in more.items() if dice.random() < 0.4}
