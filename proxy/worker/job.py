"""One try of one job: what a worker knows of it, and what all types of jobs need."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.account import AccountStorage
from adapters.blobs.store import EXPORTS, VERSIONS
from adapters.model.jobs import BlobPath, JobRecord, JobStatus
from adapters.model.ticks import Ticks, from_datetime
from adapters.tables.data_source_store import DataSource
from proxy.formats.limits import LoadLimits
from proxy.worker.reader_pool import ReaderPool
from proxy.worker.reader_tasks import Task

OTHER_SOURCE = (
    "The data source {} that this job was created for is not there any more. It was deleted, and another one of that "
    "name was made since, which stays as it is. Create the job again if it is meant for that one."
)


class JobAbortedError(Exception):
    """The job can't be done, and trying again would not help. The text is for the job's owner."""


class LeaseLostError(Exception):
    """This try must not go on: another worker has the job, it is finished already, or this worker stops."""


class ConcurrentChangeError(Exception):
    """What the job had built on has changed meanwhile; done again, it builds on what is there now."""


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """What the settings allow: bounds of a load, hosts that data may be fetched from, and tries of a job."""

    load: LoadLimits
    upload_bytes: int
    location_hosts: frozenset[str]
    tries: int


@dataclass(slots=True)
class Progress:
    """How far a job is: entities that loaded or failed, and those that failed."""

    processed: int = 0
    failed: int = 0


@dataclass(kw_only=True, eq=False)
class RunningJob:
    """One job in a worker's hands.

    `try_id` names this try, and `folder` is its own, gone when the try has ended. `readers` read data in processes of
    their own; `counts` says how far they are.
    """

    account: AccountStorage
    record: JobRecord
    limits: WorkerLimits
    folder: Path
    readers: ReaderPool
    try_id: str = ""
    work: Mapping[str, Any] = field(default_factory=dict)
    counts: Progress = field(default_factory=Progress)
    failed_blob: BlobPath | None = None

    @property
    def id(self) -> str:
        """The job's id, which names the version that it makes."""
        return self.record.row_key

    @property
    def name(self) -> str:
        """The data source's name.

        Raises:
            AbortedError: the job has none.
        """
        if not self.record.data_source_name:
            raise JobAbortedError("The job names no data source.")
        return self.record.data_source_name

    @property
    def version_blob(self) -> BlobPath:
        """Where the entities of the version lie that this try makes: no other try writes there."""
        return BlobPath(VERSIONS, f"{self.account.name}/{self.name.lower()}/{self.id}-{self.try_id}.parquet")

    def export(self, ending: str, try_id: str | None = None) -> BlobPath:
        """Where something lies that this try, or another one, hands out, its name with this ending."""
        return BlobPath(EXPORTS, f"{self.account.name}/{self.id}/{try_id or self.try_id}/{self.name}{ending}")

    def refuse_other(self, source: DataSource) -> None:
        """Makes sure that the data source is the one that the request for this job meant, not one made since.

        Raises:
            AbortedError: it is another one of the same name.
        """
        meant = self.work.get("source")
        if meant is not None and meant != source.identity:
            raise JobAbortedError(OTHER_SOURCE.format(source.name))

    def completed(self, source: DataSource | None = None, output: BlobPath | None = None) -> JobRecord:
        """The record of this job, done; with the data source's access id where there still is one."""
        return replace(
            self.ended(),
            status=JobStatus.COMPLETED,
            access_id=self.record.access_id if source is None else source.access_id,
            output_blob=output,
        )

    def aborted(self, reason: str) -> JobRecord:
        """The record of this job, given up for this reason."""
        return replace(self.ended(), status=JobStatus.ABORTED, error_message=reason)

    def ended(self) -> JobRecord:
        """The record with what was counted in this try."""
        processed, failed = self.counts.processed, self.counts.failed
        return replace(
            self.record,
            completed=self.now(),
            total=processed,
            processed=processed,
            failed=failed,
            failed_blob=self.failed_blob,
        )

    async def read(self, task: Task) -> Any:  # noqa: ANN401  as the task says
        """Has data read by a process of its own; gives the members of its answer.

        Raises:
            ReadingError: the data can't be read, or not within the limits.
            ReaderKilledError: somebody else has ended the process.
            OSError: the folder can't be used, or has no room.
        """

        def told(processed: int, failed: int) -> None:
            self.counts.processed, self.counts.failed = processed, failed

        return await self.readers.run(task, told)

    async def confirm(self) -> None:
        """Makes sure, before a step that others see, that this try is still the one that counts.

        A worker that was stopped for longer than its lease wakes up when others have begun its job, or done it.

        Raises:
            EndedError: it is not.
        """
        held = await self.account.jobs.get_held(self.id)
        if held is None or held.record.status is not JobStatus.PENDING or held.try_id != self.try_id:
            raise LeaseLostError

    async def report_progress(self) -> None:
        """Writes the counts into the job's row."""
        processed, failed = self.counts.processed, self.counts.failed
        await self.account.jobs.update_progress(self.id, processed, processed, failed, self.try_id)

    def now(self) -> Ticks:
        """This moment by the account's storage: what workers write and judge must not rest on the clock of one."""
        return self.account.clock.now()


def now() -> Ticks:
    """This moment by this machine."""
    return from_datetime(datetime.now(UTC))
