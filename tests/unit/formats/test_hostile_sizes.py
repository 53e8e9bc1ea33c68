"""What a stranger's file costs grows with its size, not with the square of it."""

import struct
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from proxy.formats.schema import InvalidDataError
from tests.unit.formats.loading import load, xml_of, zipped
from tests.unit.formats.shapefiles import NAME, dbf, packed, points, several, shp
from tests.unit.formats.test_kml import data, extended, kml, placemark

TABLE = dbf([NAME], [[b"a"]])
NULL = struct.pack("<i", 0)
GROWTH = 4


def line_of(coordinates: str) -> bytes:
    return kml(placemark(), placemark(geometry=f"<LineString><coordinates>{coordinates}</coordinates></LineString>"))


def holes(count: int) -> bytes:
    ring = [(-90.0, -90.0), (-90.0, 90.0), (90.0, 90.0), (90.0, -90.0), (-90.0, -90.0)]
    small = [(x / 100 + at / count, y / 100) for at in range(count) for x, y in ring[::-1]]
    return shp(several(5, [*ring, *small], range(0, 5 * count + 5, 5)), kind=5)


# A form of input, and a file of some size that once took time with the square of it, or might.
HOSTILE: dict[str, tuple[str, int, Callable[[int], bytes]]] = {
    "schema without an end": ("xml", 30_000, lambda size: b"<Data><!--" + b"schema" * size),
    "schemas in comments": ("xml", 5_000, lambda size: b"<Data>" + b"<!-- xs:schema> -->" * size),
    "attributes of the schema": (
        "xml",
        5_000,
        lambda size: b"<Data><a " + b" ".join(b'x%d="schema"' % at for at in range(size)),
    ),
    "declaration": ("xml", 100_000, lambda size: b"<?xml " + b"encoding " * size),
    "comment over pieces": ("xml", 500_000, lambda size: xml_of(f"<!-- {'-' * 3 * size}")),
    "text over pieces": ("xml", 100_000, lambda size: xml_of(f"<Shops><EntityID>{'&amp; </' * size}")),
    "wrappers": ("xml", 3_000, lambda size: xml_of("<A>" + "<B/>" * size + "<Shops/></A>")),
    "an unfinished comment full of entities": (
        "xml",
        100_000,
        lambda size: xml_of(f"<!-- {'</Shops>' * size} --", "Name:string"),
    ),
    "blanks within an entity": (
        "xml",
        20_000,
        lambda size: xml_of(
            f"<Shops><EntityID>1</EntityID>{' ' * size}<P299>x</P299></Shops>", *(f"P{at}:string" for at in range(300))
        ),
    ),
    "blanks between entities": ("xml", 500_000, lambda size: xml_of("<Shops/>" + " " * size + "<Shops/>")),
    "digits of a coordinate": ("kml", 200_000, lambda size: line_of("1" * size + "x")),
    "digits of coordinates": ("kml", 200, lambda size: line_of(f"{'1' * 400}x," * size)),
    "blanks in coordinates": ("kml", 200_000, lambda size: line_of(" " * size)),
    "blanks and commas": ("kml", 50_000, lambda size: line_of("1 , 2 " * size)),
    "commas": ("kml", 200_000, lambda size: line_of("," * size)),
    "points": ("kml", 20_000, lambda size: line_of("1,2 3,4 " * size)),
    "one id": ("kml", 500, lambda size: kml(*[placemark(id_=' id="pin"')] * size)),
    "ids that end alike": (
        "kml",
        500,
        lambda size: kml(*(placemark(id_=f' id="{"i" * 60}{at}"') for at in range(size))),
    ),
    "ids that look numbered": (
        "kml",
        300,
        lambda size: kml(
            *(placemark(id_=f' id="pin_{at}"') for at in range(size)), *[placemark(id_=' id="pin"')] * size
        ),
    ),
    "names of data": ("kml", 5_000, lambda size: kml(placemark(extended(data("n", "") * size)))),
    "empty elements": ("kml", 20_000, lambda size: kml(placemark(), "<a/>" * size)),
    "blank lines": ("kml", 1_000_000, lambda size: kml(placemark(), "\n" * size)),
    "records without a shape": ("shp", 5_000, lambda size: packed(shp(*[NULL] * size), TABLE)),
    "holes": ("shp", 500, lambda size: packed(holes(size), TABLE)),
    "fields": ("shp", 500, lambda size: packed(points(1), dbf([("F", "L", 1, 0)] * size, []))),
    "projection": (
        "shp",
        10_000,
        lambda size: packed(points(1), TABLE, prj=b'DATUM [ "UNIT( PROJ' * size),
    ),
    "names in a ZIP file": ("kml", 2_000, lambda size: zipped(*((f"{at}.png", b"") for at in range(size)))),
}


def seconds(file: bytes, form: str) -> float:
    """Of this process, the better of two times."""
    times = []
    for _ in range(2):
        started = time.process_time()
        with suppress(InvalidDataError):
            load(file, form)
        times.append(time.process_time() - started)
    return min(times)


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_file_of_four_times_the_size_does_not_take_sixteen_times_as_long(kind: str) -> None:
    form, size, make = HOSTILE[kind]
    assert seconds(make(GROWTH * size), form) < 2.5 * GROWTH * max(0.02, seconds(make(size), form))
