"""Moves an account between two local servers; kills the move at random moments. `python -m benchmarks.migrate`."""

import asyncio
import json
import random
import subprocess
import sys
import threading
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from benchmarks.figures import Figure, table
from benchmarks.migrate.seed import seed_jobs, seed_sources
from benchmarks.servers import proxy
from proxy.demo.azurite import Emulator, start_emulator
from tests.support.live import MASTER
from tests.support.processes import ROOT, environment, settings_of
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, play
from tests.support.worker_processes import children, peak_mb, worker_process

MOST_SECONDS = 300
MOST_MEGABYTES = 400
MOST_SECONDS_AGAIN = 20
KILLS = 20
SAME = {"same", "unchanged"}

# A command takes so many seconds until it asks the service.
START_SECONDS = 1.5


@dataclass(frozen=True)
class Run:
    """A `migrate` that ended, with the peaks of its memory and of the processes that read data for it."""

    status: int
    seconds: float
    own_mb: float
    reader_mb: float
    report: dict[str, Any]


def migrate(url: str, target: Storage, folder: Path, kill_after: float | None = None) -> Run:
    """Runs the command, and kills it after so many seconds."""
    command = [sys.executable, "-m", "proxy", "migrate", "--from", url, "--from-proxy", "--key", "-", "--json"]
    command += ["--state", str(folder / "state")]
    variables = environment(**settings_of(target)) | {"TMPDIR": str(folder)}
    started, own, reader = time.perf_counter(), 0.0, 0.0
    report = folder / "report.json"
    with (
        report.open("wb") as out,
        subprocess.Popen(
            command, cwd=ROOT, env=variables, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.DEVNULL
        ) as process,
    ):
        assert process.stdin is not None
        process.stdin.write(MASTER.encode())
        process.stdin.close()
        while process.poll() is None:
            own = max(own, peak_mb(process.pid))
            with suppress(OSError):
                reader = max([reader, *map(peak_mb, children(process.pid))])
            if kill_after is not None and time.perf_counter() - started > kill_after:
                process.kill()
            time.sleep(0.1)
    text = report.read_text(encoding="utf-8")
    return Run(process.returncode, time.perf_counter() - started, own, reader, json.loads(text) if text else {})


def judge(run: Run, target: Storage, options: Namespace) -> list[str]:
    """What is wrong with a finished move: each data source must have been loaded once."""
    rows = run.report.get("data_sources", [])
    wrong = [f"{row['name']}: {row['result']} {row['details']}" for row in rows if row["result"] not in SAME]
    if run.status or not run.report.get("same"):
        wrong.append(f"status {run.status}, {run.report.get('stopped')}")
    loads: list[tuple[str, int, int]] = []

    async def read(desk: Desk) -> None:
        found = await desk.account.data_sources.list_all()
        loads.extend((source.name, len(source.applied), len(source.earlier)) for source in found)

    play(target, read)
    wrong += [f"{name}: {times} loads, {earlier} earlier" for name, times, earlier in loads if times != 1 or earlier]
    if len(loads) != options.sources:
        wrong.append(f"{len(loads)} data sources")
    jobs = [row for row in target.table.query_entities(f"PartitionKey eq '{target.account}'") if "JobType" in row]
    lacking = [row for row in jobs if row["JobType"] == "Geocode" and "OutputBlob" not in row]
    if len(jobs) != options.sources + options.jobs or lacking:
        wrong.append(f"{len(jobs)} job rows, {len(lacking)} without their output")
    return wrong


@contextmanager
def service(emulator: Emulator, options: Namespace) -> Iterator[str]:
    """The service's side, with its data sources and jobs; its URL."""
    with Storage.open(emulator, f"theirs-{uuid4().hex[:8]}") as storage, TemporaryDirectory() as folder:
        play(storage, lambda desk: seed_sources(desk, options.sources, options.entities))
        with (
            proxy(storage, max_jobs_per_day=100_000) as (port, _),
            worker_process(storage, Path(folder), worker_memory_mb=512) as worker,
        ):
            worker.wait_until_ready()
            threading.Thread(target=worker.process.communicate, daemon=True).start()
            play(storage, wait_for_loads)
            seed_jobs(storage, options.jobs)
            yield f"http://127.0.0.1:{port}"


async def wait_for_loads(desk: Desk) -> None:
    """Returns when the worker has done all jobs."""
    while await desk.account.queue.approximate_length():  # noqa: ASYNC110 - another process does them
        await asyncio.sleep(0.5)
    await desk.account.blobs.create_container("exports")


def measure(emulator: Emulator, url: str, options: Namespace) -> tuple[list[Figure], list[str]]:
    """Moves the account, and once more; the figures, and what is wrong."""
    with Storage.open(emulator, f"ours-{uuid4().hex[:8]}") as target, TemporaryDirectory() as folder:
        first = migrate(url, target, Path(folder))
        wrong = judge(first, target, options)
        again = migrate(url, target, Path(folder))
        wrong += judge(again, target, options)
    return [
        Figure("migrate: whole", first.seconds, "s", at_most=MOST_SECONDS),
        Figure("migrate: peak of its memory", first.own_mb, "MB", at_most=MOST_MEGABYTES),
        Figure("migrate: peak of what reads its data", first.reader_mb, "MB", at_most=MOST_MEGABYTES),
        Figure("migrate: again", again.seconds, "s", at_most=MOST_SECONDS_AGAIN),
    ], wrong


def kill(emulator: Emulator, url: str, options: Namespace, seconds: float) -> list[str]:
    """Moves the account again, killed at random moments of the whole time; what is wrong in the end."""
    seed = random.SystemRandom().randrange(10**6)
    chance = random.Random(seed)  # noqa: S311 - a seed that can be given again
    with Storage.open(emulator, f"killed-{uuid4().hex[:8]}") as target, TemporaryDirectory() as folder:
        for number in range(options.kills):
            after = START_SECONDS + chance.random() * 2 * seconds / options.kills
            run = migrate(url, target, Path(folder), kill_after=after)
            print(f"kill {number + 1}: status {run.status} after {run.seconds:.1f} s", flush=True)
        last = migrate(url, target, Path(folder))
        print(f"killed {options.kills} times (seed {seed}); the last run took {last.seconds:.1f} s", flush=True)
        return judge(last, target, options)


def main() -> int:
    """Prints the figures; returns 1 where one of them or a result is wrong."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=int, default=25)
    parser.add_argument("--entities", type=int, default=20_000)
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--kills", type=int, default=KILLS)
    options = parser.parse_args()
    with start_emulator() as emulator, service(emulator, options) as url:
        figures, wrong = measure(emulator, url, options)
        print(table(figures), flush=True)
        if options.kills:
            wrong += kill(emulator, url, options, figures[0].value)
    for line in wrong:
        print(f"wrong: {line}")
    return 1 if wrong or any(figure.kept is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
