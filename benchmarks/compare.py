"""How long `compare` takes for two servers in front of one account with 25 data sources and 500 jobs.

`python -m benchmarks.compare [SOURCES] [ENTITIES] [JOBS]` prints a table.
"""

import contextlib
import io
import sys
import time
from tempfile import TemporaryDirectory

from benchmarks.figures import Figure, table
from benchmarks.query_data import make_shops, shop_type
from benchmarks.rows import write_jobs
from benchmarks.servers import proxy
from proxy.cli.main import main as command
from proxy.demo.azurite import start_emulator
from proxy.formats.exporter import write_export
from tests.support.live import MASTER
from tests.support.queries import load
from tests.support.storage import Storage

SOURCES, ENTITIES, JOBS = 25, 20_000, 500
GOAL_SECONDS = 120


def fill(storage: Storage, sources: int, entities: int, jobs: int) -> None:
    """Loads the same entities of twenty properties into each data source, and writes jobs."""
    content = io.BytesIO()
    write_export(shop_type(), [make_shops(entities=entities)], content, data_source="Shops")
    for number in range(sources):
        load(storage, content.getvalue(), f"Shops{number}", form="xml", access_id=f"{number:032x}")
    write_jobs(storage, jobs, newest_hours=1, apart_hours=0.4)


def measure(storage: Storage, *options: str) -> tuple[int, float, str]:
    """Exit status, seconds and the last lines of a run."""
    printed = io.StringIO()
    with (
        TemporaryDirectory() as folder,
        proxy(storage, {"TMPDIR": folder}) as (left, _),
        proxy(storage, {"TMPDIR": folder}) as (right, _),
        contextlib.redirect_stdout(printed),
    ):
        urls = ["--left", f"http://127.0.0.1:{left}", "--right", f"http://127.0.0.1:{right}"]
        started = time.monotonic()
        status = command(["compare", *urls, "--key", MASTER, "--reports", folder, *options])
        return status, time.monotonic() - started, printed.getvalue()


def main(words: list[str]) -> int:
    """Measures both ways; gives 1 where the goal is missed or something differs."""
    sources, entities, jobs = (*map(int, words), *(SOURCES, ENTITIES, JOBS)[len(words) :])
    figures = []
    statuses = []
    with start_emulator() as emulator, Storage.open(emulator, "comparing") as storage:
        fill(storage, sources, entities, jobs)
        for name, options in (("every entity", ()), ("--quick", ("--quick",))):
            status, seconds, printed = measure(storage, *options)
            statuses.append(status)
            print(printed[-400:] if status else printed.splitlines()[-2], file=sys.stderr)
            figures.append(Figure(f"compare, {sources} x {entities}, {name}", seconds, "s", at_most=GOAL_SECONDS))
    print(table(figures))
    return int(any(statuses) or any(each.kept is False for each in figures))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
