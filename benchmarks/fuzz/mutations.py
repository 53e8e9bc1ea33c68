"""Damage: what happens to files on their way, and what people and programs write that is almost right."""

import random
import re
import struct

ODD = tuple(
    text.encode("utf-8", "surrogatepass")
    for text in (
        *("1e999", "-1e999", "nan", "INF", "1,5", "1.234,5", "0x1F", "9223372036854775808", "1e5", "1.79E+15", "007"),
        *("-0", "-0.0", "\u0663", "1_000", "+5", ".5", "5.", "--1", "9" * 400, "5e-324", "1e308", "91", "-181"),
        *("2010-11-11", "2010-11-11 01:19", "11/03/2010 17:19:36", "22/8/2011", "2010-13-45T99:99:99Z", "0000-00-00"),
        *("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2010-02-30"),
        *("1/1/1 1:1:1 AM", "2010-11-11T24:00:00Z", "2010-11-11T01:19:36.43504949999Z", "20101111"),
        *("NULL", "EMPTY", "ZM", " Z ", "M", "((((", "))))", "(" * 200, "POINT", "CURVEPOLYGON", "SRID=4326;"),
        *("POINT(1 2 3 4)", "POINT EMPTY", "POLYGON((0 0,1 1,0 0))", "LINESTRING(1 1)", "CIRCULARSTRING(1 1,2 2,3 3)"),
        *("GEOMETRYCOLLECTION(", "MULTIPOLYGON(((0 0,1 0,1 1)))", "1 NULL", "1e400 1"),
        *('"', '""', '"""', "'", ",", "\t", "|", ";", "\\", ",,,,", "\n", "\r", "\r\n", "\n\n", "\f", "\v", "\x85"),
        *("\0", "\x01", "\x1f", "\x7f", "\u2028", "\ufeff", "\ufffd", "\ufffe", "\ud800", "\U0001f600", "\xa0", " "),
        *("&#0;", "&#xD;", "&#x110000;", "&amp;", "&nbsp;", "&", "<", ">", "]]>", "<!--", "-->", "<![CDATA[", "<?x?>"),
        *("<!DOCTYPE a>", "</", "/>", " xmlns='u'", " xsi:nil='true'", "xs:int", "xs:long", "xs:string", "minOccurs"),
        *("__deleteEntity", "Latitude", "Longitude", "EntityID", "Geometry", "(Edm.Int64)", "(Edm.Geography)", "Edm."),
        *("primaryKey", "Bing Spatial Data Services", "1.0", "true", "yes", "x" * 60, "y" * 3000, "<a>" * 100),
        *("<Placemark>", "</Placemark>", "<Point>", "<coordinates>", "0,0", "1,2,3,4", "<MultiGeometry>", "gx:Track"),
        *("UTF-16", "windows-1252", "ISO-8859-1", "utf-7", "cp037", "LDID/87", "ANSI 1252", "PROJCS[", "88591"),
    )
)
_TOKEN = re.compile(rb"[-+]?\d[\d.eE+:TZ-]*|[A-Za-z_]+|\r?\n|[^\w\s]")
_OF_MARKUP = re.compile(rb"(?<=>)[^<>]+(?=</)")
_HEAD = re.compile(rb"(?:[^\r\n]*(?:\r\n|\r|\n)){2}")
_OF_ROWS = re.compile(rb"[^,|\t\r\n]+")
# What markup may hold, once it is escaped.
_SOUND_ODD = tuple(odd for odd in ODD if not re.search(rb"[\0-\x08\v\f\x0e-\x1f]|\xed\xa0|\xef\xbf\xbe", odd))
_NUMBERS = (0, 1, -1, 2, 5, 255, 2**15, 2**31 - 1, -(2**31), 65535, 2**24)
_DOUBLES = (0.0, -0.0, float("nan"), float("inf"), 1e300, -1e-300, -1e39, 181.0, 5e-324)


def damaged(data: bytes, other: bytes, dice: random.Random, *, text: bool) -> bytes:
    """The file with a few mutations; `other` is a sound file, a part of which may come in."""
    times = 20 if dice.random() < 0.04 else dice.choice([1, 1, 1, 2, 3, 5])
    for _ in range(times):
        mutate = dice.choice(_OF_TEXT if text else _OF_BYTES)
        data = mutate(data, other, dice)
    return data


def changed_inside(data: bytes, dice: random.Random, *, markup: bool) -> bytes:
    """The file with some of its values replaced by odd ones, or odd ones put into them: its form stays whole."""
    for _ in range(dice.choice([1, 1, 2, 3, 6])):
        head = None if markup else _HEAD.match(data)
        values = list((_OF_MARKUP if markup else _OF_ROWS).finditer(data, head.end() if head else 0))
        if not values:
            return data
        value, odd = dice.choice(values), dice.choice(_SOUND_ODD if markup else ODD)
        if markup:
            odd = odd.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;")
        inside = value[0] if dice.random() < 0.4 else b""
        at = dice.randrange(len(inside) + 1)
        data = data[: value.start()] + inside[:at] + odd + inside[at:] + data[value.end() :]
    return data


def _place(data: bytes, dice: random.Random) -> tuple[int, int]:
    at = dice.randrange(len(data) + 1)
    return at, at + dice.choice([1, 1, 2, 4, 8, 16, 64, 300])


def _flip(data: bytes, _other: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data) + 1)
    return data[:at] + bytes(byte ^ 1 << dice.randrange(8) for byte in data[at : at + 1]) + data[at + 1 :]


def _byte(data: bytes, _other: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data) + 1)
    return data[:at] + dice.randbytes(1) + data[at + 1 :]


def _cut(data: bytes, _other: bytes, dice: random.Random) -> bytes:
    return data[: dice.randrange(len(data) + 1)]


def _delete(data: bytes, _other: bytes, dice: random.Random) -> bytes:
    at, end = _place(data, dice)
    return data[:at] + data[end:]


def _double(data: bytes, _other: bytes, dice: random.Random) -> bytes:
    at, end = _place(data, dice)
    return data[:end] + data[at:]


def _move(data: bytes, _other: bytes, dice: random.Random) -> bytes:
    at, end = _place(data, dice)
    rest, to = data[:at] + data[end:], dice.randrange(len(data) + 1)
    return rest[:to] + data[at:end] + rest[to:]


def _splice(data: bytes, other: bytes, dice: random.Random) -> bytes:
    if dice.random() < 0.5:
        return data[: dice.randrange(len(data) + 1)] + other[dice.randrange(len(other) + 1) :]
    at, end = _place(other, dice)
    to = dice.randrange(len(data) + 1)
    return data[:to] + other[at:end] + data[to:]


def _word(data: bytes, _other: bytes, dice: random.Random) -> bytes:
    """A token is replaced by an odd one, or gets it beside it."""
    tokens = list(_TOKEN.finditer(data))
    if not tokens:
        return data + dice.choice(ODD)
    token = dice.choice(tokens)
    before, odd = data[: token.end() if dice.random() < 0.3 else token.start()], dice.choice(ODD)
    return before + odd + data[token.end() :]


def _swap(data: bytes, _other: bytes, dice: random.Random) -> bytes:
    """Every token of a kind is replaced by another one of the file: separators, line ends, names, numbers."""
    tokens = list(dict.fromkeys(token[0] for token in _TOKEN.finditer(data)))
    if not tokens:
        return data
    return data.replace(dice.choice(tokens), dice.choice([*tokens, b""]), dice.choice([1, 3, -1]))


def _number(data: bytes, _other: bytes, dice: random.Random) -> bytes:
    """A number of a binary header or record says something else."""
    at = dice.randrange(len(data) // 2 + 1) * 2 if dice.random() < 0.5 else dice.randrange(min(len(data), 120) + 1)
    order, number = dice.choice("<>"), dice.choice(_NUMBERS)
    match dice.randrange(3):
        case 0:
            made = struct.pack(f"{order}i", number if number < 2**31 else -1)
        case 1:
            made = struct.pack(f"{order}H", number % 65536)
        case _:
            made = struct.pack("<d", dice.choice(_DOUBLES))
    return data[:at] + made + data[at + len(made) :]


_OF_BYTES = (_flip, _flip, _byte, _byte, _cut, _delete, _double, _move, _splice, _number, _number, _number, _word)
_OF_TEXT = (_flip, _byte, _cut, _delete, _double, _double, _move, _splice, _word, _word, _word, _word, _swap, _swap)
