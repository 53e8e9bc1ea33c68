"""All benchmarks, side by side in one run: `make bench`.

Prints a table; writes figures.json into this folder and the plot into docs/. With `--publish` the table goes into
docs/performance.md.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import figures
from benchmarks.figures import Figure
from benchmarks.footprint import remembering, starting
from benchmarks.formats import exchanging
from benchmarks.geocode_formats import geocoding_files
from benchmarks.keys import key_store
from benchmarks.links import links
from benchmarks.listing import listing
from benchmarks.polling import polling
from benchmarks.published import machine, publish
from benchmarks.reading import reading
from benchmarks.telemetry import telemetry
from benchmarks.worker import working
from proxy.demo.azurite import Emulator, start_emulator
from tests.support.storage import Storage

ROUNDS, SECONDS = 5, 2.0
# Where a tenth counts: many short rounds, so that what else goes on in the machine falls on all in turn.
SHORT_ROUNDS, SHORT_SECONDS = 21, 0.5
LISTS = 15
LOADS = 3
HISTORY = 100_000
FOLDER = Path(__file__).parent


def main() -> int:
    """Measures everything; gives 1 where a goal was missed."""
    found: list[Figure] = []
    with start_emulator() as emulator:
        for each in measurements(emulator):
            print(f"{each.what:48} {each.value:12,.2f} {each.unit:16} {each.goal}", flush=True)
            found.append(each)
    figures.write(found, machine(), FOLDER)
    print(f"\n{figures.page(FOLDER)}")
    if "--publish" in sys.argv:
        publish("figures of make bench", figures.page(FOLDER))
    return int(any(each.kept is False for each in found))


def measurements(emulator: Emulator) -> Iterator[Figure]:
    """Each measurement in an account of its own."""
    started = time.monotonic()
    with Storage.open(emulator, "polling") as storage:
        yield from polling(storage, SHORT_ROUNDS, SHORT_SECONDS)
    with Storage.open(emulator, "reading") as storage:
        yield from reading(storage, ROUNDS, SECONDS)
    with Storage.open(emulator, "fresh") as fresh, Storage.open(emulator, "old") as old:
        yield from listing(fresh, old, HISTORY, LISTS)
    with Storage.open(emulator, "starting") as storage:
        yield from starting(storage, ROUNDS)
    with Storage.open(emulator, "remembering") as storage:
        yield from remembering(storage)
    with Storage.open(emulator, "telemetry") as storage:
        yield from telemetry(storage, SHORT_ROUNDS, SHORT_SECONDS)
    with Storage.open(emulator, "keys") as storage:
        yield from key_store(storage, SHORT_ROUNDS, SHORT_SECONDS)
    yield from links(emulator)
    yield from exchanging(LOADS)
    yield from geocoding_files()
    with Storage.open(emulator, "working") as storage:
        yield from working(storage)
    yield Figure("the whole run", time.monotonic() - started, "s")


if __name__ == "__main__":
    sys.exit(main())
