"""The job that a worker runs: its context, and what every type of job needs."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.account import AccountStorage
from adapters.blobs.store import EXPORTS, VERSIONS
from adapters.model.data_sources import DataSource
from adapters.model.jobs import BlobPath, JobRecord, JobStatus
from adapters.model.ticks import Ticks, from_datetime
from proxy.formats.limits import LoadLimits
from proxy.worker.observer import NULL_OBSERVER, JobObserver
from proxy.worker.reader_pool import ReaderPool
from proxy.worker.reader_tasks import Task

if TYPE_CHECKING:
    from proxy.worker.geocoding.calls import Geocoder

NO_DATA_SOURCE = "There is no such data source."

OTHER_DATA_SOURCE = (
    "The data source {} that this job was created for is not there any more. It was deleted, and another one of that "
    "name was made since, which stays as it is. Create the job again if it is meant for that one."
)


class JobAbortedError(Exception):
    """The job can't be done, and another attempt would not help. Its owner reads the text."""


class LeaseLostError(Exception):
    """This attempt must not go on: another worker has the job, or the job has ended."""


class PostponedError(Exception):
    """The job's turn is over. It goes on after so many seconds, behind the jobs that wait by then."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"goes on in {seconds:g} s")
        self.seconds = seconds


class ConcurrentChangeError(Exception):
    """Another job changed what this one builds on. The next attempt builds on the new state."""


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """Limits from the settings: of a load, of fetched data, of attempts of a job, of its items, and of its outputs.

    `sums_usage`: whether the worker sums usage by day.
    """

    load: LoadLimits
    upload_bytes: int
    location_hosts: frozenset[str]
    tries: int
    maps_items_per_job: int | None = None
    keep_outputs_days: int = 0
    sums_usage: bool = True


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """What every attempt needs from its worker.

    `folder` is the work directory, `worker` the name in job rows. `geocoder_for` gives the geocoder of an account, or
    raises MapsError. `lend_slot` lets another job begin, because this one only waits for others from now on.
    """

    limits: WorkerLimits
    folder: Path
    readers: ReaderPool
    observer: JobObserver = NULL_OBSERVER
    worker: str = "worker"
    geocoder_for: "Callable[[AccountStorage], Geocoder]" = lambda account: account.maps
    lend_slot: Callable[[], None] = lambda: None


@dataclass(eq=False)
class RunningJob:
    """One attempt of a job. `try_id` names it in the job's row and in its blobs; `folder` is removed at its end.

    `work` has the parameters of the request. `processed` counts the entities that loaded or failed so far; `resumed`
    are those of earlier turns, and `total` is known to some jobs before their end. `has_progressed`: a part of the job
    is done for good. `stop` is set when the worker has to end.
    """

    account: AccountStorage
    record: JobRecord
    context: WorkerContext
    folder: Path
    try_id: str
    work: Mapping[str, Any] = field(default_factory=dict)
    processed: int = 0
    failed: int = 0
    failed_blob: BlobPath | None = None
    total: int = 0
    resumed: int = 0
    has_progressed: bool = False
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def id(self) -> str:
        """The job's id, which also names the version that it makes."""
        return self.record.row_key

    @property
    def name(self) -> str:
        """The data source's name."""
        return self.record.data_source_name or ""

    @property
    def version_blob(self) -> BlobPath:
        """The blob for the entities of the version. No other attempt writes to it."""
        return BlobPath(VERSIONS, f"{self.account.name}/{self.name.lower()}/{self.id}-{self.try_id}.parquet")

    def export_blob(self, ending: str, try_id: str | None = None) -> BlobPath:
        """The blob for an output of this attempt, or of another one of the same job."""
        return BlobPath(EXPORTS, f"{self.account.name}/{self.id}/{try_id or self.try_id}/{self.name}{ending}")

    def require(self, source: DataSource | None) -> DataSource:
        """Returns the data source if it is the one that the request meant, not a later one of the same name.

        Raises:
            JobAbortedError: there is none, or it is another one.
        """
        if source is None:
            raise JobAbortedError(NO_DATA_SOURCE)
        if self.work.get("source") not in {None, source.identity}:
            raise JobAbortedError(OTHER_DATA_SOURCE.format(source.name))
        return source

    def completed(self, source: DataSource | None = None, output: BlobPath | None = None) -> JobRecord:
        """The record of the completed job, with the access id of the data source if that still exists."""
        access_id = self.record.access_id if source is None else source.access_id
        return replace(self._ended(JobStatus.COMPLETED), access_id=access_id, output_blob=output)

    def aborted(self, reason: str) -> JobRecord:
        """The record of the aborted job. Its owner reads the reason."""
        return replace(self._ended(JobStatus.ABORTED), error_message=reason)

    def _ended(self, status: JobStatus) -> JobRecord:
        return replace(
            self.record,
            status=status,
            completed=self.now(),
            total=self.processed,
            processed=self.processed,
            failed=self.failed,
            failed_blob=self.failed_blob,
        )

    async def read(self, task: Task) -> Any:  # noqa: ANN401  each task has its own result
        """Runs a task as `ReaderPool.run` does, and counts its entities."""

        def count(processed: int, failed: int) -> None:
            self.processed, self.failed = processed, failed

        return await self.context.readers.run(task, count)

    async def confirm(self) -> None:
        """Checks, before a step that others see, that this attempt still counts.

        A worker that was stopped for longer than its lease resumes when another worker has begun or ended the job.

        Raises:
            LeaseLostError: it does not count any more.
        """
        held = await self.account.jobs.get_held(self.id)
        if held is None or held.record.status is not JobStatus.PENDING or held.try_id != self.try_id:
            raise LeaseLostError

    async def report_progress(self) -> None:
        """Writes the counts to the job's row."""
        total = max(self.total, self.processed)
        await self.account.jobs.update_progress(self.id, total, self.processed, self.failed, self.try_id)

    async def forgive_attempts(self) -> None:
        """Makes the attempts so far count no more: only those that achieve nothing make a job be given up."""
        await self.account.jobs.forgive_attempts(self.id, self.try_id)

    def now(self) -> Ticks:
        """The storage account's time: the stored dates must not depend on the clock of one worker."""
        return self.account.clock.now()


def ensure_not_deleting(source: DataSource) -> None:
    """Raises JobAbortedError if a delete job of the data source is under way."""
    if source.deleting is not None:
        raise JobAbortedError("The data source is being deleted.")


def now() -> Ticks:
    """This machine's time."""
    return from_datetime(datetime.now(UTC))
