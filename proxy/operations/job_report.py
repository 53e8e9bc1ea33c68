"""Everything about one job for an operator, also of a row that can't be read."""

from collections.abc import Collection
from dataclasses import dataclass

from adapters.account import AccountStorage
from adapters.errors import StorageError
from adapters.model.jobs import JobStatus
from proxy.operations.job_files import JobFile, LogBeginning, list_files, read_log
from proxy.operations.job_views import FoundJob, JobDetail, describe_job, find_refusal
from proxy.operations.masking import StoredProperty, list_properties
from proxy.operations.worker_views import WorkerView, list_workers

UNKNOWN = "Storage does not say whether the data that was sent for the job is there."


@dataclass(frozen=True, slots=True)
class JobReport:
    """A job.

    Args:
        job_id: the id of its row.
        properties: the properties of its row, without secrets.
        problem: why its row can't be read; empty where it can.
        detail: the job; None where its row can't be read.
        worker: the worker of the last attempt, while the job is Pending and that worker's row is there.
        files: its outputs and its upload.
        log: the first lines of its error log.
        failure: the first error of storage while the rest was looked up.
    """

    job_id: str
    properties: tuple[StoredProperty, ...]
    problem: str = ""
    detail: JobDetail | None = None
    worker: WorkerView | None = None
    files: tuple[JobFile, ...] = ()
    log: LogBeginning | None = None
    failure: StorageError | None = None


async def report_job(account: AccountStorage, job_id: str, others: Collection[str]) -> JobReport | None:
    """Reads a job and what belongs to it; None where the account has no row of this id.

    Args:
        account: the account.
        job_id: the id of the row.
        others: the names of the key ring's accounts.

    Raises:
        StorageError: the row can't be read.
    """
    stored = await account.jobs.get_stored(job_id)
    if stored is None:
        return None
    properties = tuple(list_properties(stored.row))
    if stored.held is None:
        return JobReport(job_id, properties, stored.problem)
    found = FoundJob(account, stored.held)
    failure: StorageError | None = None
    refusal: str | None = None
    worker, files, log = None, list[JobFile](), None
    try:
        refusal = await find_refusal(found)
        worker = await _find_worker(found) if found.status is JobStatus.PENDING else None
        files = await list_files(account, stored.held, others)
        log = await read_log(account, files)
    except StorageError as error:  # the row alone is worth a page
        failure, refusal = error, refusal or UNKNOWN
    return JobReport(job_id, properties, "", describe_job(found, refusal), worker, tuple(files), log, failure)


async def _find_worker(found: FoundJob) -> WorkerView | None:
    if found.held.worker is None:
        return None
    return next((each for each in await list_workers(found.account) if each.row.name == found.held.worker), None)
