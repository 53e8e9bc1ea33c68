"""Whatever a file holds, a load gives entities, failures with a reason, or one clear message."""

import gzip
import random
import re
from collections.abc import Callable

import pytest

from proxy.exchange.schema import UnusableError
from tests.exchange.loading import export, load, xml_of, zipped
from tests.exchange.samples import FOURTH_COFFEE
from tests.exchange.shapefiles import FOXPRO, NAME, dbf, packed, points, several, shp
from tests.exchange.test_kml import LINE, SQUARE, data, extended, kml, placemark

TRIES = 60

_WORDS = [
    b"\0",
    b"\xff",
    b"<",
    b">",
    b"&",
    b"]]>",
    b"<!--",
    b",",
    b" ",
    b"1e999",
    b"nan",
    b"-",
    b"\x7f\xff\xff\xff",
    b"\xff\xfe",
]
# What a program says of itself; the last is what is said where no reader foresaw it.
_PROGRAM = re.compile(
    r"Traceback|NoneType|\b\w+(Error|Exception)\b|(?<!\w)b'|codec|<class|object|it is not as its format has it"
)

_FIELDS = [NAME, ("POP", "N", 8, 0), ("AREA", "F", 8, 2), ("OPEN", "L", 1, 0), ("MADE", "D", 8, 0), ("T", "T", 8, 0)]
_FOXPRO = [*_FIELDS, ("I", "I", 4, 0), ("B", "B", 8, 0), ("Y", "Y", 8, 0), ("ENTITYID", "C", 5, 0)]
_ROW = [b"Caf\xc3\xa9", b"12", b"1.5", b"T", b"20100203", bytes(8), b"\x07\0\0\0", bytes(8), bytes(8), b"a"]
_RINGS = [
    (0.0, 0.0, 1.0),
    (0.0, 9.0, 2.0),
    (9.0, 9.0, 3.0),
    (0.0, 0.0, 1.0),
    (1.0, 4.0, 1.0),
    (2.0, 5.0, 1.0),
    (1.0, 5.0, 1.0),
]
_POLYGON = several(15, _RINGS, (0, 4))
_PRJ = b'GEOGCS["WGS 84",DATUM["WGS_1984"]]'
_SHAPES = shp(*[_POLYGON] * 3, kind=15)
_KML = kml(
    '<Schema><SimpleField name="pop" type="int"/></Schema>',
    placemark(extended(data("Höhe", "7") + data("Latitude", "1")), id_=' id="a"'),
    placemark(extended('<SchemaData><SimpleData name="pop">7</SimpleData></SchemaData>'), geometry=SQUARE),
    placemark(geometry=f"<MultiGeometry>{LINE}{LINE}</MultiGeometry>"),
)
_XML = xml_of("<Set><Shops><EntityID>1</EntityID><Open>1</Open></Shops></Set><Shops/>", "Open:long").replace(
    b"UTF-8", b"windows-1252"
)

SOUND: dict[str, tuple[str, Callable[[random.Random], bytes]]] = {
    "xml": ("xml", lambda dice: mutated(FOURTH_COFFEE, dice)),
    "wrapped": ("xml", lambda dice: mutated(_XML, dice)),
    "utf-16": ("xml", lambda dice: mutated(FOURTH_COFFEE.decode().encode("utf-16"), dice)),
    "kml": ("kml", lambda dice: mutated(_KML, dice)),
    "kmz": ("kml", lambda dice: mutated(zipped(("doc.kml", _KML), ("b.kml", _KML)), dice)),
    "gzip": ("xml", lambda dice: mutated(gzip.compress(FOURTH_COFFEE), dice)),
    "shp": ("shp", lambda dice: packed(mutated(_SHAPES, dice), dbf(_FIELDS, [_ROW[:6]] * 3))),
    "dbf": ("shp", lambda dice: packed(_SHAPES, mutated(dbf(_FIELDS, [_ROW[:6]] * 3), dice), cpg=b"1252")),
    "foxpro": ("shp", lambda dice: packed(points(3), mutated(dbf(_FOXPRO, [_ROW] * 3, version=FOXPRO), dice))),
    "set": ("shp", lambda dice: mutated(packed(_SHAPES, dbf(_FIELDS, [_ROW[:6]] * 3)), dice)),
    "cpg": ("shp", lambda dice: packed(points(1), dbf([NAME], [[b"a"]]), cpg=mutated(b"ANSI 1252", dice))),
    "prj": (
        "shp",
        lambda dice: packed(points(1), dbf([NAME], [[b"a"]]), prj=mutated(b'GEOGCS["WGS 84",DATUM["D"]]', dice)),
    ),
}


def mutated(sound: bytes, dice: random.Random) -> bytes:
    """The file with a few bytes changed, taken away, doubled or put in."""
    made = bytearray(sound)
    for _ in range(dice.randrange(1, 5)):
        at, length = dice.randrange(len(made) + 1), dice.choice([1, 1, 2, 4, 8, 64])
        match dice.randrange(5):
            case 0:
                made[at : at + 1] = dice.randbytes(1)
            case 1:
                del made[at : at + length]
            case 2:
                made[at:at] = made[at : at + length]
            case 3:
                made[at:at] = dice.choice(_WORDS)
            case 4:
                made[at : at + 4] = dice.choice(
                    [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f"]
                )
    return bytes(made)


@pytest.mark.parametrize("kind", SOUND)
def test_a_file_that_was_changed_loads_or_is_refused_in_our_own_words(kind: str) -> None:
    form, make = SOUND[kind]
    for seed in range(TRIES):
        broken = make(random.Random(f"{kind} {seed}"))  # noqa: S311  no secret
        try:
            loaded = load(broken, form)
        except UnusableError as error:
            texts = [str(error)]
        else:
            texts = loaded.reasons
            assert load(export(loaded), "xml").table == loaded.table or not loaded.entities, seed
        assert not [text for text in texts if len(text) > 1_000 or _PROGRAM.search(text)], seed
