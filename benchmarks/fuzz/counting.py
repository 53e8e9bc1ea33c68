"""How many entities a file holds, at a simple count that knows nothing of the readers; None where it can't tell."""

import re
import struct

from lxml import etree

from benchmarks.fuzz.tables import SEPARATORS

_HEAD_LINES = 2
_LINES = re.compile(rb"\r\n|\n|\r")


def text_records(data: bytes, form: str) -> int | None:
    """Records behind the two lines of the head: a value in quotes may have line ends in csv, and nothing else may."""
    if form not in SEPARATORS:
        return None
    separator = SEPARATORS[form].encode()
    try:
        data.decode()
    except UnicodeDecodeError:
        return None
    *head, rest = _LINES.split(data.removeprefix(b"\xef\xbb\xbf"), _HEAD_LINES)
    if len(head) < _HEAD_LINES or b'"' in b"".join(head):
        return None  # quotes may hold a line's end there, too
    between = rb"\r\n|\n|\r|\Z"
    inside = rb'(?:[^"]|"")*' if separator == b"," else rb'(?:[^"\r\n]|"")*'
    by = re.escape(separator)
    quoted = rb'[ ]*"' + inside + rb'"[ ]*(?=' + by + b"|" + between + b")"
    value = b"(?:" + quoted + rb"|[^" + by + rb"\r\n]*)"
    record = re.compile(value + b"(?:" + by + value + b")*(?:" + between + b")")
    count = at = 0
    while at < len(rest):
        found = record.match(rest, at)
        assert found is not None
        count += bool(found[0].strip(b" \t\r\n" + separator))
        at = found.end()
    return count


def markup_records(data: bytes, form: str) -> int | None:
    """The placemarks of a KML file, or the elements of the one type that an XML file's schema declares."""
    try:
        root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    except (etree.XMLSyntaxError, ValueError):
        return None
    if form == "kml":
        name: str | None = "Placemark"
    else:
        types = root.findall(".//{*}choice/{*}element")
        name = types[0].get("name") if len(types) == 1 else None
    if not name or not re.fullmatch(r"\w+", name):
        return None
    found = [each for each in root.iter(f"{{*}}{name}") if not each.nsmap.get(each.prefix, "").endswith("XMLSchema")]
    is_nested = any(set(each.iterancestors()) & set(found) for each in found)
    return None if is_nested else len(found)


def shapefile_records(shapes: bytes, table: bytes) -> int | None:
    """The longer one of both files: sound shapes, and a table whose header may say anything."""
    if len(table) < 32:
        return None
    count, start, size = struct.unpack("<4xIHH", table[:12])
    if not size or start < 33:
        return None
    left = table[start : start + count * size]
    cut = left[len(left) // size * size :]
    records: int = len(left) // size + bool(cut.strip(b"\x1a\0 "))
    return max(_shapes(shapes), records)


def _shapes(data: bytes) -> int:
    count, at = 0, 100
    while at + 8 <= len(data):
        at += 8 + 2 * int.from_bytes(data[at + 4 : at + 8], "big")
        count += 1
    return count
