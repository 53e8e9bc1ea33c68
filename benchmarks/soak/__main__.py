"""Runs all that a soak measures and prints one table; ends with status 1 where a promise is not kept."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from uuid import uuid4

from benchmarks.published import machine, publish
from benchmarks.soak.backlog import backlog
from benchmarks.soak.ending import ending
from benchmarks.soak.faults import faults
from benchmarks.soak.figures import HEAD, Figure, worst_of
from benchmarks.soak.fuzzing import fuzzing
from benchmarks.soak.hostile import hostile
from benchmarks.soak.keys import keys
from benchmarks.soak.killing import killing
from benchmarks.soak.kills import kills
from benchmarks.soak.loris import loris
from benchmarks.soak.polling import polling
from benchmarks.soak.rolling import rolling
from benchmarks.soak.waiting import waiting
from proxy.demo.azurite import start_emulator
from tests.support.storage import Storage

ROWS: dict[str, Callable[[Storage], Iterator[Figure]]] = {
    "faults": faults,
    "waiting": waiting,
    "ending": ending,
    "rolling": rolling,
    "loris": loris,
    "hostile": hostile,
    "polling": polling,
    "keys": keys,
    "killing": killing,
    "backlog": backlog,
    "fuzz": fuzzing,
    "kills": kills,
}


FIGURES = Path(__file__).parent / "figures.json"


def page() -> str:
    """The figures that were published last, as docs/performance.md shows them."""
    kept = json.loads(FIGURES.read_text())
    lines = "\n".join(each.line() for each in worst_of("fault: ", [Figure(**each) for each in kept["figures"]]))
    return f"{kept['machine']}:\n\n{HEAD}\n{lines}"


def others(figures: Sequence[Figure]) -> list[Figure]:
    """What was published of other rows than these: a run of some rows leaves the rest as it was."""
    published = [Figure(**each) for each in json.loads(FIGURES.read_text())["figures"]]
    rows = {figure.row for figure in figures}
    return [figure for figure in published if figure.row not in rows]


def main() -> int:
    """Runs the rows that are asked for; gives the exit status."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    options.add_argument("rows", nargs="*", metavar="ROW", help=f"one of {', '.join(ROWS)}; all without")
    options.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON, too")
    options.add_argument("--publish", action="store_true", help="write them into docs/performance.md")
    chosen = options.parse_args()
    unknown = set(chosen.rows) - set(ROWS)
    if unknown:
        options.error(f"no such row: {', '.join(sorted(unknown))}")
    figures: list[Figure] = []
    print(HEAD, flush=True)
    with start_emulator() as emulator:
        for name in chosen.rows or ROWS:
            started = time.monotonic()
            with Storage.open(emulator, f"account-{uuid4().hex[:12]}") as storage:
                for figure in ROWS[name](storage):
                    figures.append(figure)
                    print(figure.line(), flush=True)
            print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    if chosen.json:
        chosen.json.write_text(json.dumps([asdict(figure) for figure in figures], indent=1), encoding="utf-8")
    if chosen.publish:
        all_rows = [asdict(figure) for figure in (others(figures) if chosen.rows else []) + figures]
        FIGURES.write_text(json.dumps({"machine": machine(), "figures": all_rows}, indent=1) + "\n")
        publish("figures of make soak", page())
    return 0 if all(figure.kept for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
