"""The first lines of delimited text: which version it is, and what its columns are (geocode.md, 2.2 and 2.3)."""

from dataclasses import dataclass

from proxy.formats.delimited.grammar import split_line
from proxy.formats.delimited.header import MAX_LINE_BYTES, Line, next_line
from proxy.formats.delimited.lines import LineReader, check_encoding
from proxy.formats.geocode.text_layouts import VERSION_1_LAYOUT, TextLayout, parse_header
from proxy.formats.schema import InvalidDataError

_TITLE = "bing spatial data services"
_EXPECTED = "Bing Spatial Data Services, 2.0"
_TOOLKIT_HEADER = "geocodeentity/@id"
_COLUMN = "geocoderequest/"


@dataclass(frozen=True, slots=True)
class TextHead:
    """What stands before the rows.

    Attributes:
        layout: the columns.
        echo: the lines that outputs begin with, without line ends; none in version 1.0.
        rest: the text behind the header, up to the end of a block.
    """

    layout: TextLayout
    echo: tuple[str, ...]
    rest: bytes


def read_head(lines: LineReader, separator: str) -> TextHead:
    """Reads the lines before the first row, and counts them.

    Raises:
        InvalidDataError: the file is of neither version, or no row of it can be a request.
    """
    first, rest = next_line(lines, lines.read())
    if not first.data:
        raise InvalidDataError("the data is empty")
    if first.data.lstrip().startswith(b"<"):
        raise InvalidDataError(f"line {first.number} is {first.shown}, which looks like XML: send input=xml")
    if b"\0" in first.data:
        raise InvalidDataError(f"line {first.number} is {first.shown}, with zero bytes: save it as UTF-8")
    title = _plain(first)
    if not title.startswith(_TITLE):
        return _read_version_1(lines, first, rest)
    if "2.0" in title:
        return _read_version_2(lines, first, rest, separator)
    if "1.0" not in title:
        raise InvalidDataError(f"line {first.number} is {first.shown}, which names no version; needed is: {_EXPECTED}")
    return _read_version_1(lines, *next_line(lines, rest))


def _read_version_1(lines: LineReader, first: Line, rest: bytes) -> TextHead:
    """The head of a file without column names; its first line is a row, or the header that one library writes."""
    title = _plain(first)
    if title.startswith(_TOOLKIT_HEADER):
        return TextHead(VERSION_1_LAYOUT, (), rest or lines.read())
    if _COLUMN in title:
        raise InvalidDataError(
            f"line {first.number} is {first.shown}, which names columns; a line before it has to be: {_EXPECTED}"
        )
    if not first.data:
        return TextHead(VERSION_1_LAYOUT, (), b"")
    lines.number -= 1
    return TextHead(VERSION_1_LAYOUT, (), first.data + b"\n" + rest)


def _read_version_2(lines: LineReader, first: Line, rest: bytes, separator: str) -> TextHead:
    header, rest = next_line(lines, rest)
    while _plain(header).startswith(_TITLE):
        header, rest = next_line(lines, rest)
    if not header.data:
        hint = (
            "; its line ends are lost: send the file with curl --data-binary @file" if _COLUMN in _plain(first) else ""
        )
        raise InvalidDataError(
            f"line {header.number} is missing, which names the columns, GeocodeRequest/Query for one{hint}"
        )
    for line in (first, header):
        if len(line.data) > MAX_LINE_BYTES:
            raise InvalidDataError(f"line {line.number} is {line.shown} and has more than {MAX_LINE_BYTES:,} bytes")
        check_encoding(line.data, line.number)
    layout = parse_header([cell.strip() for cell in split_line(header.data, separator)], header.number)
    return TextHead(layout, (first.text.replace('"', ""), header.text), rest)


def _plain(line: Line) -> str:
    """The start of a line in lower case, without blanks and quotes before it."""
    return line.data[:MAX_LINE_BYTES].decode(errors="replace").lstrip(' \t"').lower()
