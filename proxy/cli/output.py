"""Rows for people or for programs: a table on a terminal, lines of JSON in a pipe."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from adapters.model.ticks import Ticks, to_datetime
from proxy.text import single_line

# Characters of a cell of a table. Only the last column may be longer than the others.
MAX_CELL = 60

_Row = TypeVar("_Row")


def is_terminal() -> bool:
    """Whether a person reads standard output."""
    return sys.stdout is not None and sys.stdout.isatty()


@dataclass(eq=False)
class RowPrinter(Generic[_Row]):
    """Prints rows as they come, or as a table at the end.

    Args:
        columns: the heading of each column, and its text of a row.
        to_line: a row as a line of JSON.
        as_table: prints a table although no terminal reads it.
    """

    columns: Sequence[tuple[str, Callable[[_Row], object]]]
    to_line: Callable[[_Row], str]
    as_table: bool = False
    _cells: list[list[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Looks whether a terminal reads the rows."""
        self.as_table = self.as_table or is_terminal()

    def add(self, row: _Row) -> None:
        """Prints a row, or keeps it for the table."""
        if self.as_table:
            self._cells.append([cell(text_of(row)) for _, text_of in self.columns])
        else:
            print(self.to_line(row))

    def end(self) -> None:
        """Prints the table."""
        if not self.as_table:
            return
        lines = [[name for name, _ in self.columns], *self._cells]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            print_text("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def print_members(members: Mapping[str, Any]) -> None:
    """Prints one thing: a line for each member on a terminal, one line of JSON in a pipe. None is left out."""
    found = {name: value for name, value in members.items() if value is not None}
    if not is_terminal():
        print(to_json(found))
        return
    width = max(map(len, found), default=0)
    for name, value in found.items():
        print_text(f"{name.ljust(width)}  {value if isinstance(value, str) else to_json(value)}")


def print_text(text: str) -> None:
    """Prints one line; what is no printable character of the terminal becomes a question mark."""
    encoding = _encoding()
    print(single_line(text).encode(encoding, "replace").decode(encoding))


def to_json(value: object) -> str:
    """One line of JSON, with escapes where standard output can't take its characters."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode(_encoding())
    except UnicodeEncodeError:
        return json.dumps(value)
    return text


def _encoding() -> str:
    return (sys.stdout and sys.stdout.encoding) or "utf-8"


def cell(value: object) -> str:
    """A value in a table: one line of printable characters, cut where it is long."""
    text = "" if value is None else single_line(value)
    return text if len(text) <= MAX_CELL else f"{text[: MAX_CELL - 3]}..."


def moment(ticks: Ticks | None) -> str | None:
    """A time to the second, in UTC."""
    return None if ticks is None else f"{to_datetime(ticks):%Y-%m-%d %H:%M:%S}"
