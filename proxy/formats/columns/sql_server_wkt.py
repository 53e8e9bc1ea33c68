"""Well-known text in SQL Server's dialect, rewritten as the geometry library reads it.

SQL Server writes a height as a plain third number and a measure as a fourth one, `NULL` for a height that a point
lacks, and leaves both out at the points that have none. Here all points of a text get a height (NaN where there is
none) if one of them has it, else none; measures go.
"""

import re

_BETWEEN_MARKS = re.compile(r"[^(),]++")
_NUMBERS = range(2, 5)
"""Of a point: its place, height and measure."""
_NEAR = 20
"""Characters in which a bracket before a point is looked for."""
_DIMENSIONS = ("ZM", "Z", "M")


def plain_wkt(text: str) -> str | None:
    """The text with two or three numbers a point; None where it is no well-known text."""
    points = _Points()
    try:
        rewritten = _BETWEEN_MARKS.sub(points.flat, text)
        return _BETWEEN_MARKS.sub(points.with_height, rewritten) if points.high else rewritten
    except ValueError:
        return None


class _Points:
    """Rewrites what is between brackets and commas: words, or the numbers of a point."""

    def __init__(self) -> None:
        self.high = False
        self._measured = self._bare = False

    def flat(self, match: re.Match[str]) -> str:
        """Words without their dimensions; a point as its place, and its height where it has one."""
        parts = match[0].split()
        if not parts:
            return ""
        if parts[0][0].isalpha():
            return self._words(parts)
        if len(parts) not in _NUMBERS:
            raise ValueError("no point")
        height = "".join(parts[2:3])
        if not height or height.upper() == "NULL" or self._measured:
            point = f"{parts[0]} {parts[1]}"
        else:
            self.high = True
            point = f"{parts[0]} {parts[1]} {height}"
        # The library loses a height that is NaN in a MULTIPOINT whose points have no brackets of their own.
        return f"({point})" if self._bare and not _in_brackets(match) else point

    def with_height(self, match: re.Match[str]) -> str:
        """A point with a height, the same for all else."""
        text: str = match[0]
        return f"{text} NaN" if text.count(" ") == 1 and not text[0].isalpha() else text

    def _words(self, parts: list[str]) -> str:
        kind = " ".join(parts).upper()
        empty = " EMPTY" if kind.endswith(" EMPTY") else ""
        kind = kind.removesuffix(empty)
        if kind != "EMPTY":
            dimension = next((one for one in _DIMENSIONS if kind.endswith(one)), "")
            self._measured = dimension == "M"
            kind = kind.removesuffix(dimension).rstrip()
            self._bare = kind == "MULTIPOINT"
        return f"{kind}{empty}"


def _in_brackets(match: re.Match[str]) -> bool:
    """Whether a point of a MULTIPOINT has brackets of its own, and not those of the whole."""
    before = match.string[max(0, match.start() - _NEAR) : match.start()].rstrip()
    return before.endswith("(") and before[:-1].rstrip()[-1:] in {"(", ","}
