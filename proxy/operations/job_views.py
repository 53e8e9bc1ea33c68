"""Finds, lists and shows jobs."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from adapters.account import AccountStorage
from adapters.errors import StorageError
from adapters.model.jobs import BlobPath, JobRecord, JobStatus, JobType
from adapters.model.ticks import Ticks
from adapters.tables.leased_jobs import HeldJob
from adapters.tables.properties import MalformedRowError
from proxy.operations.errors import OperationError
from proxy.operations.masking import mask_secrets

ENDED_ONLY = {
    JobStatus.COMPLETED: "The job is Completed. Only an Aborted job can be tried again.",
    JobStatus.PENDING: "The job is Pending. Only an Aborted job can be tried again.",
}
OF_ANOTHER_PROGRAM = "The job is another program's: its row does not say what a worker has to do."
UPLOAD_GONE = "The data that was sent for the job is not there any more. Create the job again."

# Members of a job's work that are shown. The others are digests of keys, and ids that the row has too.
_SHOWN = ("operation", "input", "upload", "version", "public", "staging")

_LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs to list: those that fit all parts. An empty part fits every job.

    `text` is part of the message, description, data source or id, in any letter case.
    """

    statuses: frozenset[JobStatus] = frozenset()
    types: frozenset[JobType] = frozenset()
    data_source: str | None = None
    since: Ticks | None = None
    until: Ticks | None = None
    text: str = ""

    @property
    def is_of_times_only(self) -> bool:
        """Whether every job of its times fits."""
        return not (self.statuses or self.types or self.data_source or self.text)

    def matches(self, record: JobRecord) -> bool:
        """Whether a job is one of them."""
        return (
            (not self.statuses or record.status in self.statuses)
            and (not self.types or record.job_type in self.types)
            and (self.data_source is None or (record.data_source_name or "").lower() == self.data_source.lower())
            and (self.since is None or record.created >= self.since)
            and (self.until is None or record.created <= self.until)
            and self._has_text(record)
        )

    def _has_text(self, record: JobRecord) -> bool:
        texts = (record.error_message, record.description, record.data_source_name, record.row_key, record.legacy_id)
        return not self.text or any(self.text.casefold() in text.casefold() for text in texts if text)


@dataclass(frozen=True, slots=True)
class FoundJob:
    """A job, with its account and what its row says of its attempts."""

    account: AccountStorage
    held: HeldJob

    @property
    def id(self) -> str:
        """The id of its row."""
        return self.held.record.row_key

    @property
    def status(self) -> JobStatus:
        """Its status."""
        return self.held.record.status


@dataclass(frozen=True, slots=True)
class JobDetail:
    """A job as it is shown.

    Args:
        account: its account's name.
        record: its record.
        attempts: the attempts that count so far.
        worker: the worker that began the last one.
        started: when that was.
        request: what was asked, by name, without secrets.
        is_ours: whether the row says what a worker has to do; a job of another program does not.
        refusal: why the job can't be tried again; None where it can.
    """

    account: str
    record: JobRecord
    attempts: int
    worker: str | None
    started: Ticks | None
    request: Mapping[str, Any]
    is_ours: bool
    refusal: str | None


async def list_jobs(account: AccountStorage, wanted: JobFilter) -> AsyncIterator[JobRecord]:
    """The account's jobs in the order of their creation; rows that can't be read are left out."""
    if wanted.since is not None:
        for record in await account.jobs.list_created_since(wanted.since):
            if wanted.matches(record):
                yield record
        return
    async for record in account.jobs.iterate():
        if wanted.matches(record):
            yield record


async def find_job(accounts: Iterable[AccountStorage], job_id: str) -> FoundJob:
    """Finds a job by its id or by the one that it had at Bing, in any letter case.

    Raises:
        OperationError: there is none, or several accounts have one, or its row can't be read.
        StorageError: no account has it, and one can't be read.
    """
    found, failure = list[FoundJob](), None
    for account in accounts:
        try:
            record = await account.jobs.get(job_id)
            held = None if record is None else await account.jobs.get_held(record.row_key)
        except StorageError as error:
            failure = failure or error
        except MalformedRowError as error:
            raise OperationError(f"The job can't be shown: {mask_secrets(str(error))}.") from None
        else:
            found += [] if held is None else [FoundJob(account, held)]
    if len(found) > 1:
        names = ", ".join(each.account.name for each in found)
        raise OperationError(f"Several accounts have a job {job_id[:_LONGEST_SHOWN]!r}: {names}. Name one of them.")
    if found:
        return found[0]
    if failure is not None:
        raise failure
    raise OperationError(
        f"There is no job {job_id[:_LONGEST_SHOWN]!r}. A job's id has 32 hex digits; `jobs list` shows it."
    )


async def show_job(found: FoundJob) -> JobDetail:
    """Everything about a job that an operator may see."""
    return describe_job(found, await find_refusal(found))


def describe_job(found: FoundJob, refusal: str | None) -> JobDetail:
    """The same, where it is known why the job can't be tried again."""
    held = found.held
    return JobDetail(
        account=found.account.name,
        record=held.record,
        attempts=held.attempts,
        worker=held.worker,
        started=held.started,
        request=_request_of(read_work(held)),
        is_ours=held.work is not None,
        refusal=refusal,
    )


async def find_refusal(found: FoundJob) -> str | None:
    """Why a job can't be tried again; None where it can."""
    if found.status is not JobStatus.ABORTED:
        return ENDED_ONLY[found.status]
    if found.held.work is None:
        return OF_ANOTHER_PROGRAM
    upload = read_work(found.held).get("upload")
    path = BlobPath.parse(upload) if isinstance(upload, str) else None
    if upload is not None and (path is None or not await found.account.blobs.exists(path)):
        return UPLOAD_GONE
    return None


def read_work(held: HeldJob) -> Mapping[str, Any]:
    """What the worker of a job has to do; nothing where the row does not say it."""
    with suppress(ValueError, RecursionError):
        work = json.loads(held.work or "")
        if isinstance(work, dict):
            return work
    return {}


def _request_of(work: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: work[name] for name in _SHOWN if work.get(name) is not None}
    if isinstance(work.get("location"), str):
        shown["location"] = _without_secrets(work["location"])
    return shown


def _without_secrets(url: str) -> str:
    """A URL without its user, query and fragment, which may hold a signature."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "..."
    rest = "?..." if parts.query else ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}{rest}"
