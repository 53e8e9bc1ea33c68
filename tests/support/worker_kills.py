"""Kills of workers at random moments. All the same nothing is lost or doubled, and each version is complete."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapters.model.data_sources import DataSourceVersion
from adapters.model.jobs import JobStatus
from proxy.formats.parquet import read_entities
from tests.support.storage import Storage
from tests.support.worker_desk import LOCATION, Desk, play
from tests.support.worker_processes import WorkerProcess, worker_process

ENTITIES = 5_000
JOB_SECONDS = 180


def make_load(note: str) -> bytes:
    """A load of many entities, each with the same note."""
    head = f"Bing Spatial Data Services, 1.0, Shops\nId(Edm.String,primaryKey),Note(Edm.String),{LOCATION}\n"
    return (head + "".join(f"{number},{note},1,2\n" for number in range(ENTITIES))).encode()


@dataclass
class Model:
    """The expected data source: the note of each version, the newest first."""

    published: str | None = None
    earlier: list[str] = field(default_factory=list)
    staged: str | None = None

    def switch(self, stamp: str) -> None:
        self.earlier = ([self.published] if self.published else []) + self.earlier
        self.earlier, self.published = self.earlier[:2], stamp


@dataclass
class Killing:
    """One run: the desk, the random numbers, and the model."""

    desk: Desk
    chance: random.Random
    model: Model = field(default_factory=Model)
    loads: int = 0

    async def load(self) -> str:
        self.loads += 1
        self.model.switch(f"load-{self.loads}")
        return await self.desk.load(make_load(f"load-{self.loads}"))

    async def stage(self) -> str:
        self.loads += 1
        self.model.staged = f"load-{self.loads}"
        return await self.desk.load(make_load(f"load-{self.loads}"), "completeStaging")

    async def publish(self) -> str:
        assert self.model.staged is not None
        self.model.switch(self.model.staged)
        self.model.staged = None
        return await self.desk.publish()

    async def rollback(self) -> str:
        version = (await self.desk.the_source()).earlier[-1]
        before = self.model.published
        assert before is not None
        self.model.published = self.model.earlier.pop()
        self.model.earlier.insert(0, before)
        return await self.desk.rollback(version.job_id)

    async def delete(self) -> str:
        self.model = Model()
        return await self.desk.delete()

    async def check(self) -> None:
        """Checks that the data source is as in the model, and that each version is complete."""
        source = await self.desk.source()
        if source is None:
            assert self.model == Model()
            return
        assert await self.stamp(source.published) == self.model.published
        assert [await self.stamp(version) for version in source.earlier] == self.model.earlier
        assert await self.stamp(source.staged) == self.model.staged

    async def stamp(self, version: DataSourceVersion | None) -> str | None:
        return None if version is None else stamp_of(version, await self.desk.entities(version))


def stamp_of(version: DataSourceVersion, rows: list[dict[str, Any]]) -> str:
    """The note of a version, which must be complete and have the same note everywhere."""
    assert len(rows) == version.entities == ENTITIES
    assert len({row["Id"] for row in rows}) == ENTITIES
    (stamp,) = {row["Note"] for row in rows}
    return str(stamp)


def kill_workers(storage: Storage, folder: Path, kills: int, seed: int) -> None:
    """Creates jobs of all kinds one after another, and kills and replaces the worker of each.

    Meanwhile a reader checks the published version all the time.
    """

    async def story(desk: Desk) -> None:
        run = Killing(desk, random.Random(seed))  # noqa: S311  no secret
        async with _reader(desk), AsyncExitStack() as stack:
            worker = await _start(stack, storage, folder)
            for number in range(kills):
                step = _STEPS[number % len(_STEPS)]
                for prepare in step[:-1]:
                    await _wait_for(desk, await prepare(run))
                job_id = await step[-1](run)
                starting = asyncio.create_task(_start(stack, storage, folder))
                await asyncio.sleep(run.chance.uniform(0, 0.5))
                worker.kill()
                worker = await starting
                await _wait_for(desk, job_id)
                await run.check()

    play(storage, story)


def freeze_workers(storage: Storage, folder: Path, freezes: int, seed: int) -> None:
    """Stops the worker of each load for longer than its lease, and resumes it after another worker did the job.

    The fetched data changes meanwhile, so that each attempt would make another version.
    """

    async def story(desk: Desk) -> None:
        run = Killing(desk, random.Random(seed))  # noqa: S311  no secret
        container = f"data-{desk.account.name[-12:]}"
        storage.blobs.create_container(container, public_access="blob")
        data = storage.blobs.get_blob_client(container, "shops.csv")
        async with _reader(desk), AsyncExitStack() as stack:
            for number in range(freezes):
                first = await _start(stack, storage, folder)
                data.upload_blob(make_load(f"old-{number}"), overwrite=True)
                job_id = await desk.load(b"", upload=None, location=data.url)
                await _wait_until_begun(desk, job_id)
                await asyncio.sleep(run.chance.uniform(0, 0.2))
                first.process.send_signal(signal.SIGSTOP)
                data.upload_blob(make_load(f"new-{number}"), overwrite=True)
                second = await _start(stack, storage, folder)
                await _wait_for(desk, job_id)
                before = await desk.the_source()
                assert before.published is not None
                stamp = stamp_of(before.published, await desk.entities(before.published))
                first.process.send_signal(signal.SIGCONT)
                await asyncio.sleep(2)  # time for its late writes
                assert await desk.the_source() == before
                assert stamp_of(before.published, await desk.entities(before.published)) == stamp
                assert stamp in {f"old-{number}", f"new-{number}"}
                for worker in (first, second):
                    worker.kill()

    play(storage, story)


# The worker of the last job of each step is killed. The jobs before it create what it needs.
Step = Callable[[Killing], Awaitable[str]]
_STEPS: tuple[tuple[Step, ...], ...] = (
    (Killing.load,),
    (Killing.stage, Killing.publish),
    (Killing.rollback,),
    (Killing.delete,),
    (Killing.stage,),
    (Killing.load,),
)


async def _start(stack: AsyncExitStack, storage: Storage, folder: Path) -> WorkerProcess:
    worker = stack.enter_context(worker_process(storage, folder, worker_lease=1, worker_tries=100))
    await asyncio.to_thread(worker.wait_until_ready)
    return worker


async def _wait_for(desk: Desk, job_id: str) -> None:
    async with asyncio.timeout(JOB_SECONDS):
        while (job := await desk.record(job_id)).status is JobStatus.PENDING:  # noqa: ASYNC110  storage changes
            await asyncio.sleep(0.05)
    assert job.status is JobStatus.COMPLETED, job.error_message


async def _wait_until_begun(desk: Desk, job_id: str) -> None:
    async with asyncio.timeout(JOB_SECONDS):
        while (held := await desk.account.jobs.get_held(job_id)) is None or not held.try_id:  # noqa: ASYNC110  the same
            await asyncio.sleep(0.02)


@asynccontextmanager
async def _reader(desk: Desk) -> AsyncIterator[None]:
    """Reads the published version over and over. It is complete, or there is none."""

    async def read() -> None:
        file = desk.context.folder / "read.parquet"
        while True:
            source = await desk.source()
            if source is not None and source.published is not None:
                if await desk.account.blobs.download_file(source.published.blob, file):
                    stamp_of(source.published, [row for batch in read_entities(file) for row in batch.to_pylist()])
                else:
                    assert await desk.source() != source  # replaced or deleted since the look-up
            await asyncio.sleep(0.1)

    reading = asyncio.create_task(read())
    try:
        yield
    finally:
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading  # raises what it found
