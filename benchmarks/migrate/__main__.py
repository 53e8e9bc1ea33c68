"""Moves an account between two local servers; kills the move at random moments. `python -m benchmarks.migrate`."""

import json
import random
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from benchmarks.figures import Figure
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
LONGEST_SECONDS = 1800


@dataclass(frozen=True)
class Run:
    """A `migrate` that ended."""

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
    with subprocess.Popen(
        command, cwd=ROOT, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(MASTER.encode())
        process.stdin.close()
        while process.poll() is None:
            own = max(own, peak_mb(process.pid))
            with suppress(OSError):
                reader = max([reader, *map(peak_mb, children(process.pid))])
            if kill_after is not None and time.perf_counter() - started > kill_after:
                process.kill()
            time.sleep(0.1)
        text = process.stdout.read()
    return Run(process.returncode, time.perf_counter() - started, own, reader, json.loads(text) if text else {})


def loads_of(target: Storage) -> list[tuple[str, int, int]]:
    """How often each data source was loaded, and its earlier versions."""
    found: list[tuple[str, int, int]] = []

    async def read(desk: Desk) -> None:
        for source in await desk.account.data_sources.list_all():
            found.append((source.name, len(source.applied), len(source.earlier)))

    play(target, read)
    return found


def judge(run: Run, target: Storage, sources: int, jobs: int) -> list[str]:
    """What is wrong with a finished move."""
    wrong = [
        f"{row['name']}: {row['result']} {row['details']}"
        for row in run.report.get("data_sources", [])
        if row["result"] not in {"same", "unchanged"}
    ]
    if run.status or not run.report.get("same"):
        wrong.append(f"status {run.status}, {run.report.get('stopped')}")
    loads = loads_of(target)
    wrong += [
        f"{name}: loaded {times} times, {earlier} earlier"
        for name, times, earlier in loads
        if (times, earlier) != (1, 0)
    ]
    if len(loads) != sources:
        wrong.append(f"{len(loads)} data sources")
    rows = [row for row in target.table.query_entities(f"PartitionKey eq '{target.account}'") if "JobType" in row]
    lacking = [row for row in rows if row["JobType"] == "Geocode" and "OutputBlob" not in row]
    if len(rows) != sources + jobs or lacking:
        wrong.append(f"{len(rows)} job rows, {len(lacking)} without their output")
    return wrong


@contextmanager
def service(emulator: Emulator, sources: int, entities: int, jobs: int) -> Iterator[str]:
    """The service's side, loaded; its URL."""
    with Storage.open(emulator, f"theirs-{uuid4().hex[:8]}") as storage, TemporaryDirectory() as folder:
        play(storage, lambda desk: seed_sources(desk, sources, entities))
        with (
            proxy(storage, max_jobs_per_day=100_000) as (port, _),
            worker_process(storage, Path(folder), worker_memory_mb=512) as worker,
        ):
            worker.wait_until_ready()
            drain = __import__("threading").Thread(target=worker.process.stderr.read, daemon=True)
            drain.start()

            async def wait(desk: Desk) -> None:
                import asyncio

                while await desk.account.queue.approximate_length():
                    await asyncio.sleep(0.5)
                await desk.account.blobs.create_container("exports")

            play(storage, wait)
            seed_jobs(storage, jobs)
            yield f"http://127.0.0.1:{port}"


def main() -> int:
    """Prints the figures; 1 where one of them or a result is wrong."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=int, default=25)
    parser.add_argument("--entities", type=int, default=20_000)
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--kills", type=int, default=KILLS)
    options = parser.parse_args()
    size = options.sources, options.entities, options.jobs
    wrong: list[str] = []
    figures: list[Figure] = []
    with start_emulator() as emulator, service(emulator, *size) as url:
        print("the service is ready", flush=True)
        with Storage.open(emulator, f"ours-{uuid4().hex[:8]}") as target, TemporaryDirectory() as folder:
            first = migrate(url, target, Path(folder))
            wrong += judge(first, target, options.sources, options.jobs)
            again = migrate(url, target, Path(folder))
            wrong += judge(again, target, options.sources, options.jobs)
        figures += [
            Figure("migrate: whole", first.seconds, "s", at_most=MOST_SECONDS),
            Figure("migrate: peak of its memory", first.own_mb, "MB", at_most=MOST_MEGABYTES),
            Figure("migrate: peak of what reads its data", first.reader_mb, "MB", at_most=MOST_MEGABYTES),
            Figure("migrate: again", again.seconds, "s", at_most=MOST_SECONDS_AGAIN),
        ]
        for figure in figures:
            print(figure, flush=True)
        if options.kills:
            wrong += killed(emulator, url, options, first.seconds)
    for line in wrong:
        print("WRONG", line)
    return 1 if wrong or any(figure.at_most is not None and figure.value > figure.at_most for figure in figures) else 0


def killed(emulator: Emulator, url: str, options: Any, seconds: float) -> list[str]:
    """Moves the account again, killed at random moments of the whole time."""
    seed = random.SystemRandom().randrange(10**6)
    chance = random.Random(seed)
    with Storage.open(emulator, f"killed-{uuid4().hex[:8]}") as target, TemporaryDirectory() as folder:
        for number in range(options.kills):
            run = migrate(url, target, Path(folder), kill_after=1.5 + chance.random() * 2 * seconds / options.kills)
            print(f"killed {number + 1}: status {run.status} after {run.seconds:.1f} s", flush=True)
        last = migrate(url, target, Path(folder))
        print(f"killed {options.kills} times (seed {seed}); the last run took {last.seconds:.1f} s")
        return judge(last, target, options.sources, options.jobs)


if __name__ == "__main__":
    sys.exit(main())
