"""The largest load: seconds for each kind of job, and the peak memory of worker and reader."""

import asyncio
import time
from collections.abc import Awaitable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from adapters.model.jobs import JobStatus
from benchmarks.figures import Figure
from proxy.formats.loader import InputFormat
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, play
from tests.support.worker_processes import children, peak_mb, worker_process

ENTITIES = 200_000
PROPERTIES = 20
MOST_WORKER_MEGABYTES = 128
MOST_READER_MEGABYTES = 512


def rows(entities: int) -> bytes:
    """A load in CSV: texts, numbers, dates, flags, and a point."""
    kinds = ["Edm.String"] * 10 + ["Edm.Int64"] * 3 + ["Edm.Boolean"] * 2 + ["Edm.DateTime"]
    names = ["Id(Edm.String,primaryKey)", "Latitude(Edm.Double)", "Longitude(Edm.Double)", "Shape(Edm.Geography)"]
    names += [f"P{number}({kind})" for number, kind in enumerate(kinds)]
    assert len(names) == PROPERTIES
    lines = ["Bing Spatial Data Services, 1.0, Places", ",".join(names)]
    for number in range(entities):
        place = f"{number % 90}.5,{number % 180}.25,POINT ({number % 180}.25 {number % 90}.5)"
        texts = ",".join(f"some text {number} of {column}" for column in range(10))
        lines.append(f"{number},{place},{texts},{number},{number * 7},-{number},1,0,2026-01-02T03:04:05.1234567")
    return "\n".join(lines).encode()


async def measure(storage: Storage, desk: Desk, entities: int, found: list[Figure]) -> None:
    """Does each kind of job once with a new worker."""
    data = rows(entities)
    with TemporaryDirectory() as folder, worker_process(storage, Path(folder)) as worker:
        await asyncio.to_thread(worker.wait_until_ready)
        readers: list[float] = []
        drain = asyncio.create_task(asyncio.to_thread(worker.process.communicate))

        async def timed(what: str, job: Awaitable[str]) -> str:
            job_id, started = await job, time.perf_counter()
            while (record := await desk.record(job_id)).status is JobStatus.PENDING:
                readers.extend(map(peak_mb, children(worker.process.pid)))
                await asyncio.sleep(0.05)
            seconds = time.perf_counter() - started
            if record.status is not JobStatus.COMPLETED:
                raise RuntimeError(f"{what}: {record.error_message}")
            found.append(Figure(f"worker: {what}", seconds, "s"))
            return job_id

        await timed("load of CSV", desk.load(data, name="Places"))
        exported = await timed("download", desk.download(name="Places"))
        xml = await desk.content((await desk.record(exported)).output_blob)
        await timed(f"load of XML, {len(xml) / 1e6:.0f} MB", desk.load(xml, name="Places", input=InputFormat.XML.value))
        await timed("update of all", desk.load(data, "incremental", name="Places"))
        own = peak_mb(worker.process.pid)
        found.append(Figure("worker: peak of its memory", own, "MB", at_most=MOST_WORKER_MEGABYTES))
        most = max(readers)
        found.append(Figure("worker: peak of what reads its data", most, "MB", at_most=MOST_READER_MEGABYTES))
        worker.process.terminate()
        await drain


def working(storage: Storage, entities: int = ENTITIES) -> Iterator[Figure]:
    """The figures."""
    found: list[Figure] = []
    play(storage, lambda desk: measure(storage, desk, entities, found))
    yield from found
