"""Parses the first two lines of delimited text: the title with the entity type, and the schema."""

from proxy.formats.columns.buffers import line_ends, quote_value
from proxy.formats.delimited.grammar import split_line
from proxy.formats.delimited.lines import LineReader, decode
from proxy.formats.schema import EdmType, InvalidDataError, Property
from proxy.formats.schema_validation import DeclaredSchema

_TITLE = "bing spatial data services"
_EXPECTED = "Bing Spatial Data Services, 1.0, <entity type>"
_VERSIONS = {"1", "1.0"}
_TYPES = {type_.lower(): type_ for type_ in EdmType}
_HEAD_LINES = 2
_LONGEST_LINE = 256 * 1024
"""Bytes of one line of the head: 352 properties need some 30,000, and a spreadsheet has 16,384 cells in a line."""
_SHOWN = 80
_SEPARATORS = {",": "commas (,)", "\t": "tabs", "|": "pipes (|)", ";": "semicolons (;)"}
_INPUTS = {",": "csv", "\t": "tab", "|": "pipe"}


class Head:
    """Reads the two lines; `rest` is what the block holds behind them, and `blocks` has counted them."""

    def __init__(self, blocks: LineReader, separator: str) -> None:
        self._by = separator
        self._blocks = blocks
        self._numbers: list[int] = []
        self.rest = blocks.take()
        self._lines = [self._line() for _ in range(_HEAD_LINES)]

    def declared(self) -> DeclaredSchema:
        """The schema.

        Raises:
            UnusableError: the lines are something else.
        """
        for line, number in zip(self._lines, self._numbers, strict=True):
            if len(line) > _LONGEST_LINE:
                start = quote_value(line[:_LONGEST_LINE].decode(errors="replace"), _SHOWN)
                raise InvalidDataError(
                    f"line {number} is {start} and has more than {_LONGEST_LINE:,} bytes; line 1 has to be: {_EXPECTED}"
                )
        name = self._entity_type()
        for line, number in zip(self._lines, self._numbers, strict=True):
            decode(line, number)
        properties, keys = self._properties()
        return DeclaredSchema(name, tuple(properties), tuple(keys), finite=True)

    def _line(self) -> bytes:
        """The next line that is not blank, without its end; empty where there is none."""
        while self.rest:
            blank = len(self.rest) - len(self.rest.lstrip())
            begin = max(self.rest.rfind(b"\n", 0, blank), self.rest.rfind(b"\r", 0, blank)) + 1
            self._blocks.number += line_ends(self.rest, 0, begin)
            line = self.rest[begin:].splitlines(keepends=True)[0] if begin < len(self.rest) else b""
            self.rest = self.rest[begin + len(line) :] or self._blocks.take()
            if line.strip():
                self._blocks.number += 1
                self._numbers.append(self._blocks.number)
                return line.rstrip(b"\r\n")
        self._numbers.append(self._blocks.number + 1)
        return b""

    def _cells(self, place: int) -> list[str]:
        cells = [cell.strip() for cell in split_line(self._lines[place], self._by)]
        while cells and not cells[-1]:
            cells.pop()
        return cells

    def _entity_type(self) -> str:
        parts = [part.strip().strip('"').strip() for part in ",".join(self._cells(0)).split(",")]
        while parts and not parts[-1]:
            parts.pop()
        if " ".join(parts[0].split()).lower() != _TITLE if parts else True:
            raise InvalidDataError(self._no_title())
        if len(parts) == 1 or parts[1] not in _VERSIONS:
            raise InvalidDataError(self._no_head(f"the version is {quote_value(parts[1]) if parts[1:] else 'missing'}"))
        if len(parts) > 3:  # noqa: PLR2004  title, version, name
            raise InvalidDataError(self._no_head(_one_line(self._text(0)) or f"{quote_value(parts[3])} is too much"))
        if "(edm." in self._text(0).lower():
            raise InvalidDataError(self._no_head(_one_line(self._text(0))))
        if not parts[2:]:
            raise InvalidDataError(self._no_head("the entity type is missing"))
        name = parts[2]
        if name[-1:] in _SEPARATORS:
            raise InvalidDataError(self._no_head(self._other_separator(1, name[-1])))
        return name

    def _text(self, place: int) -> str:
        return self._lines[place].decode(errors="replace")

    def _no_head(self, why: str | None) -> str:
        number, start = self._numbers[0], quote_value(self._text(0), _SHOWN)
        return f"line {number} is {start}; it has to be: {_EXPECTED}{f': {why}' if why else ''}"

    def _no_title(self) -> str:
        text = self._text(0).lower()
        before, title, after = text.partition(_TITLE)
        if title and not before.strip(' "'):
            between = after.lstrip(' "')[:1]
            if between != self._by and between in _SEPARATORS:
                return self._no_head(self._other_separator(1, between))
            return self._no_head(_one_line(text))
        if "(edm." in text:
            return self._no_head("this line is missing, and the schema comes first")
        return self._no_head(None)

    def _other_separator(self, number: int, found: str) -> str:
        means = f"input={_INPUTS[self._by]} means {_SEPARATORS[self._by]}"
        remedy = f"send input={_INPUTS[found]}" if found in _INPUTS else f"save it with {_SEPARATORS[self._by]}"
        return f"line {number} is separated by {_SEPARATORS[found]}, and {means}: {remedy}"

    def _properties(self) -> tuple[list[Property], list[str]]:
        number, line = self._numbers[1], self._text(1)
        cells = _rejoined(self._cells(1))
        if not cells:
            raise InvalidDataError(
                f"line {number} is empty; it has to hold the schema, like EntityID(Edm.String,primaryKey)"
            )
        between = line.partition(")")[2].lstrip(' "')[:1]
        if between != self._by and between in _SEPARATORS:
            raise InvalidDataError(f"{self._other_separator(number, between)}; it is {quote_value(line, _SHOWN)}")
        properties: list[Property] = []
        keys: list[str] = []
        for place, cell in enumerate(cells, 1):
            name, _, inner = cell.partition("(")
            type_, *marks = [part.strip() for part in inner.removesuffix(")").split(",")]
            if (
                not name.strip()
                or not inner.endswith(")")
                or [mark.lower() for mark in marks]
                not in (
                    [],
                    ["primarykey"],
                )
            ):
                raise InvalidDataError(
                    f"line {number}, property {place}, is {quote_value(cell)}, which is not like Name(Edm.String) or "
                    f"Name(Edm.String,primaryKey): the schema cannot be read"
                )
            if type_.lower() not in _TYPES:
                raise InvalidDataError(
                    f"line {number}: the type {quote_value(type_)} of {name[:50]} is none of {', '.join(EdmType)}"
                )
            properties.append(Property(name.strip(), _TYPES[type_.lower()]))
            if marks:
                keys.append(name.strip())
        return properties, keys


def _rejoined(cells: list[str]) -> list[str]:
    """The cells of a schema, those of a property that its comma has split put together."""
    whole: list[str] = []
    for cell in cells:
        if whole and "(" in whole[-1] and ")" not in whole[-1]:
            whole[-1] = f"{whole[-1]},{cell}"
        else:
            whole.append(cell)
    return whole


def _one_line(text: str) -> str | None:
    """The likely cause of a schema behind the title in one line."""
    if "(edm." in text.lower():
        return "the line ends are lost, as curl -d loses them: send the file with curl --data-binary @file"
    return None
