"""What a soak has measured beside what was promised."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement of one row: what, in which unit, how much, and what the promise is in words."""

    row: str
    what: str
    value: float
    unit: str
    promise: str
    kept: bool

    def line(self) -> str:
        """The figure as a line of the table."""
        value = f"{self.value:,.0f}" if self.unit == "" else f"{self.value:,.3g} {self.unit}"
        return f"| {self.row} | {self.what} | {value} | {self.promise} | {'yes' if self.kept else 'NO'} |"


HEAD = "| row | what | measured | promised | kept |\n|---|---|---|---|---|"


def at_most(row: str, what: str, value: float, most: float, unit: str) -> Figure:
    """A figure with an upper bound."""
    return Figure(row, what, value, unit, f"<= {most:g} {unit}".rstrip(), value <= most)


def none_of(row: str, what: str, value: int) -> Figure:
    """A count of what must not occur."""
    return Figure(row, what, value, "", "0", value == 0)


def at_least(row: str, what: str, value: int, least: int) -> Figure:
    """A count of what must have occurred for the rest of the row to mean anything."""
    return Figure(row, what, value, "", f">= {least:,}", value >= least)


def worst_of(prefix: str, figures: Sequence[Figure]) -> list[Figure]:
    """The figures, of the rows that begin so only the worst of each kind: eighty lines tell no more than eight."""
    alike: dict[str, list[Figure]] = {}
    for figure in figures:
        if figure.row.startswith(prefix):
            alike.setdefault(figure.what, []).append(figure)
    worst = []
    for what, each in alike.items():
        least = each[0].promise.startswith(">=")
        found = (min if least else max)(each, key=lambda figure: figure.value)
        name = f"worst of {len(each)} faults"
        worst.append(Figure(name, what, found.value, found.unit, found.promise, all(one.kept for one in each)))
    return worst + [figure for figure in figures if not figure.row.startswith(prefix)]


def p99(seconds: Sequence[float]) -> float:
    """What 99 of 100 did not exceed."""
    return quantiles(seconds, n=100)[-1]
