"""Parses the first two lines of delimited text: the title with the entity type, and the schema."""

import re
from dataclasses import dataclass

from proxy.formats.columns.buffers import count_line_ends, quote_value
from proxy.formats.delimited.grammar import split_line
from proxy.formats.delimited.lines import LineReader, check_encoding
from proxy.formats.schema import EdmType, InvalidDataError, Property
from proxy.formats.schema_validation import DeclaredSchema

_TITLE = "bing spatial data services"
_EXPECTED = "Bing Spatial Data Services, 1.0, <entity type>"
_VERSIONS = {"1", "1.0"}
_TYPES = {type_.lower(): type_ for type_ in EdmType}
MAX_LINE_BYTES = 256 * 1024
"""Of a header line: 352 properties need some 30,000, and a spreadsheet has 16,384 cells in a line."""
_SHOWN = 80
_SEPARATORS = {",": "commas (,)", "\t": "tabs", "|": "pipes (|)", ";": "semicolons (;)"}
_INPUTS = {",": "csv", "\t": "tab", "|": "pipe"}
_LOST_LINE_ENDS = "the line ends are lost, as curl -d loses them: send the file with curl --data-binary @file"
_BLANK = re.compile(rb"\s*+")
_LINE = re.compile(rb"[^\r\n]*+(?:\r\n?|\n)")


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its end, empty where the text has no more lines."""

    number: int
    data: bytes

    @property
    def text(self) -> str:
        """The line, with a replacement for each byte that is not UTF-8."""
        return self.data.decode(errors="replace")

    @property
    def shown(self) -> str:
        """The line as a message shows it."""
        return quote_value(self.data[: 4 * _SHOWN + 4].decode(errors="replace"), _SHOWN)

    def cells(self, separator: str) -> list[str]:
        """The values without blanks around them, and without empty ones at the end."""
        return _without_empty_end([cell.strip() for cell in split_line(self.data, separator)])


@dataclass(frozen=True, slots=True)
class Header:
    """The first two lines that are not blank, and the text behind them: the rest of a block, or the next block."""

    title: Line
    schema: Line
    rest: bytes

    @classmethod
    def read(cls, lines: LineReader) -> "Header":
        """Reads the lines and counts them."""
        title, rest = next_line(lines, lines.read())
        schema, rest = next_line(lines, rest)
        return cls(title, schema, rest)

    def parse(self, separator: str) -> DeclaredSchema:
        """The schema.

        Raises:
            InvalidDataError: the lines are something else.
        """
        lines = (self.title, self.schema)
        for line in lines:
            if len(line.data) > MAX_LINE_BYTES:
                raise InvalidDataError(
                    f"line {line.number} is {line.shown} and has more than {MAX_LINE_BYTES:,} bytes; "
                    f"line 1 has to be: {_EXPECTED}"
                )
        name = _parse_title(self.title, separator)
        for line in lines:
            check_encoding(line.data, line.number)
        properties, keys = _parse_schema(self.schema, separator)
        return DeclaredSchema(name, tuple(properties), tuple(keys), finite=True)


def next_line(lines: LineReader, text: bytes) -> tuple[Line, bytes]:
    """The next line that is not blank, and the text behind it."""
    while text:
        blank = _BLANK.match(text).end()  # type: ignore[union-attr]  # matches any text
        start = max(text.rfind(b"\n", 0, blank), text.rfind(b"\r", 0, blank)) + 1
        lines.number += count_line_ends(text, 0, start)
        if match := _LINE.match(text, start):
            lines.number += 1
            return Line(lines.number, match[0].rstrip(b"\r\n")), text[match.end() :] or lines.read()
        text = lines.read()
    return Line(lines.number + 1, b""), b""


def _without_empty_end(cells: list[str]) -> list[str]:
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _parse_title(line: Line, separator: str) -> str:
    """The entity type's name."""
    cells = ",".join(line.cells(separator)).split(",")
    parts = _without_empty_end([cell.strip().strip('"').strip() for cell in cells])
    is_title = bool(parts) and " ".join(parts[0].split()).lower() == _TITLE
    why = None
    if not is_title:
        why = _explain_no_title(line, separator)
    elif len(parts) == 1 or parts[1] not in _VERSIONS:
        why = f"the version is {quote_value(parts[1]) if parts[1:] else 'missing'}"
    elif "(edm." in line.text.lower():
        why = _LOST_LINE_ENDS
    elif len(parts) > 3:  # noqa: PLR2004  title, version, name
        why = f"{quote_value(parts[3])} is too much"
    elif not parts[2:]:
        why = "the entity type is missing"
    elif parts[2][-1:] in _SEPARATORS:
        why = _explain_separator(line, separator, parts[2][-1])
    if not is_title or why:
        raise InvalidDataError(
            f"line {line.number} is {line.shown}; it has to be: {_EXPECTED}{f': {why}' if why else ''}"
        )
    return parts[2]


def _explain_no_title(line: Line, separator: str) -> str | None:
    text = line.text.lower()
    before, title, after = text.partition(_TITLE)
    if title and not before.strip(' "'):
        between = after.lstrip(' "')[:1]
        if between != separator and between in _SEPARATORS:
            return _explain_separator(line, separator, between)
        return _LOST_LINE_ENDS if "(edm." in text else None
    return "this line is missing, and the schema comes first" if "(edm." in text else None


def _explain_separator(line: Line, separator: str, found: str) -> str:
    means = f"input={_INPUTS[separator]} means {_SEPARATORS[separator]}"
    remedy = f"send input={_INPUTS[found]}" if found in _INPUTS else f"save it with {_SEPARATORS[separator]}"
    return f"line {line.number} is separated by {_SEPARATORS[found]}, and {means}: {remedy}"


def _parse_schema(line: Line, separator: str) -> tuple[list[Property], list[str]]:
    """The properties, and the names of the primary keys."""
    cells = _rejoin(line.cells(separator))
    if not cells:
        raise InvalidDataError(
            f"line {line.number} is empty; it has to hold the schema, like EntityID(Edm.String,primaryKey)"
        )
    between = line.text.partition(")")[2].lstrip(' "')[:1]
    if between != separator and between in _SEPARATORS:
        raise InvalidDataError(f"{_explain_separator(line, separator, between)}; it is {line.shown}")
    properties: list[Property] = []
    keys: list[str] = []
    for number, cell in enumerate(cells, 1):
        name, _, inner = cell.partition("(")
        type_, *marks = [part.strip() for part in inner.removesuffix(")").split(",")]
        is_key = [mark.lower() for mark in marks] == ["primarykey"]
        if not name.strip() or not inner.endswith(")") or (marks and not is_key):
            raise InvalidDataError(
                f"line {line.number}, property {number}, is {quote_value(cell)}, which is not like Name(Edm.String) or "
                f"Name(Edm.String,primaryKey): the schema cannot be read"
            )
        if type_.lower() not in _TYPES:
            raise InvalidDataError(
                f"line {line.number}: the type {quote_value(type_)} of {name[:50]} is none of {', '.join(EdmType)}"
            )
        properties.append(Property(name.strip(), _TYPES[type_.lower()]))
        keys += [name.strip()] * is_key
    return properties, keys


def _rejoin(cells: list[str]) -> list[str]:
    """The cells of a schema, those of a property that its comma has split put together."""
    whole: list[str] = []
    for cell in cells:
        if whole and "(" in whole[-1] and ")" not in whole[-1]:
            whole[-1] = f"{whole[-1]},{cell}"
        else:
            whole.append(cell)
    return whole
