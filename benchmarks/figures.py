"""A figure beside its goal, and how figures are shown: as a table, as JSON, as a plot."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.plot import plot
from benchmarks.published import PAGE


@dataclass(frozen=True)
class Figure:
    """One measured value. `at_least` and `at_most` are its goal, None where there is none on that side."""

    what: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def kept(self) -> bool | None:
        """Whether the goal was reached; None where there is none."""
        if self.at_least is None and self.at_most is None:
            return None
        low, high = self.at_least, self.at_most
        return (low is None or self.value >= low) and (high is None or self.value <= high)

    @property
    def goal(self) -> str:
        """The goal in words."""
        if self.at_least is not None:
            return f">= {self.at_least:g}"
        return "" if self.at_most is None else f"<= {self.at_most:g}"


def table(figures: Iterable[Figure]) -> str:
    """A Markdown table."""
    rows = [
        f"| {each.what} | {_number(each.value)} {each.unit} | {each.goal} | {_VERDICT[each.kept]} |" for each in figures
    ]
    return "\n".join(["| what | figure | goal | |", "|---|---|---|---|", *rows])


def write(figures: list[Figure], machine: str, folder: Path) -> None:
    """Writes figures.json into the folder, and the plot beside docs/performance.md."""
    kept = {"machine": machine, "figures": [asdict(each) for each in figures]}
    (folder / "figures.json").write_text(json.dumps(kept, indent=1) + "\n")
    shown = [
        (f"{each.what} ({each.goal})", each.value, each.at_least or each.at_most or 1.0, each.unit, bool(each.kept))
        for each in figures
        if each.goal
    ]
    PAGE.with_suffix(".svg").write_text(plot(shown))


def page(folder: Path) -> str:
    """The figures that `write` wrote, as docs/performance.md shows them."""
    kept: dict[str, Any] = json.loads((folder / "figures.json").read_text())
    return f"{kept['machine']}:\n\n{table([Figure(**each) for each in kept['figures']])}"


_VERDICT = {True: "kept", False: "**short**", None: ""}
_WHOLE = 100


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= _WHOLE else f"{value:.2f}"
