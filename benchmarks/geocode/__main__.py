"""How good geocode jobs are, beside the goals: `python -m benchmarks.geocode`, about a quarter of an hour.

Prints a line for each figure; writes figures.json into this folder. With `--publish` the table goes into
docs/performance.md. With `--quick` the jobs are small, to see that all of it runs: nothing is written.

Nothing else should run meanwhile: a job without a bound needs both of two processors, one of them for the emulator.
"""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.figures import Figure, page
from benchmarks.geocode.kills import killing
from benchmarks.geocode.polls import beside_jobs
from benchmarks.geocode.rate import bounded
from benchmarks.geocode.speed import unbounded
from benchmarks.published import machine, publish
from proxy.demo.azurite import Emulator, start_emulator
from tests.support.storage import Storage

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Scale:
    """Rows of the large jobs and of those with kills, rounds of the fast one, and kills."""

    rows: int = 200_000
    rounds: int = 3
    kill_rows: int = 5_000
    kills: int = 20


QUICK = Scale(15_000, 1, 2_000, 2)


def main() -> int:
    """Measures everything; gives 1 where a goal was missed."""
    is_quick = "--quick" in sys.argv
    found: list[Figure] = []
    with start_emulator() as emulator:
        for each in measurements(emulator, QUICK if is_quick else Scale()):
            print(f"{each.what:68} {each.value:10,.2f} {each.unit:26} {each.goal}", flush=True)
            found.append(each)
    if not is_quick:
        kept = {"machine": machine(), "figures": [asdict(each) for each in found]}
        (FOLDER / "figures.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        if "--publish" in sys.argv:
            publish("figures of geocode jobs", page(FOLDER))
    return int(any(each.kept is False for each in found))


def measurements(emulator: Emulator, scale: Scale) -> Iterator[Figure]:
    """Each measurement in an account of its own."""
    started = time.monotonic()
    with Storage.open(emulator, "speed") as storage:
        yield from unbounded(storage, scale.rows, scale.rounds)
    with Storage.open(emulator, "rate") as storage:
        yield from bounded(storage, scale.rows)
    with Storage.open(emulator, "polls") as storage:
        yield from beside_jobs(storage, scale.rows)
    with Storage.open(emulator, "kills") as storage:
        yield from killing(storage, scale.kill_rows, scale.kills)
    yield Figure("the whole run", time.monotonic() - started, "s")


if __name__ == "__main__":
    sys.exit(main())
