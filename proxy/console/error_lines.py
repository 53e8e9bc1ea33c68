"""The first lines of an error log."""

from dataclasses import dataclass
from pathlib import Path

MOST_LINES = 200
MOST_CHARACTERS = 400

_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ErrorLines:
    """The first lines, cut, and how many more there are."""

    lines: tuple[str, ...]
    left_out: int


def read_error_lines(log: Path) -> ErrorLines:
    """Reads a log of one line for each error; a missing file has none."""
    lines, left_out = list[str](), 0
    try:
        with log.open("rb") as file:
            while len(lines) < MOST_LINES and (line := file.readline()):
                text = line.decode(errors="replace").rstrip("\n")
                lines.append(text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}...")
            while chunk := file.read(_CHUNK):
                left_out += chunk.count(b"\n")
    except FileNotFoundError:
        return ErrorLines((), 0)
    return ErrorLines(tuple(lines), left_out)
