"""What is the same for each new job: the limits, and the data source it is for."""

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.account import AccountStorage
from adapters.model.jobs import JobRecord, JobStatus, JobType
from adapters.model.ticks import from_datetime
from adapters.tables.data_source_store import DataSource
from proxy.api.context import CallContext
from proxy.api.handlers.creation import create_job, now
from proxy.settings import Settings
from proxy.wire.create_response import CreatedJob, create_response
from proxy.wire.errors import ApiError, ErrorCode
from proxy.wire.request import ApiCall

DAY = timedelta(hours=24)


async def recent_jobs(account: AccountStorage) -> list[JobRecord]:
    """The account's jobs of the last 24 hours: what its limits count, and what is under way.

    Read from storage, not from what is remembered: a job created a moment ago counts.
    """
    jobs = await account.creation_guard.call(lambda: account.jobs.created_since(from_datetime(datetime.now(UTC) - DAY)))
    # Those that were imported from Bing were not created here.
    return [job for job in jobs if job.legacy_id is None]


def enforce_quotas(jobs: list[JobRecord], settings: Settings, uploads: int = 0) -> None:
    """Raises WireError where the account may not create another job; `uploads` of it are jobs without a row yet."""
    if len(jobs) >= settings.max_jobs_per_day:
        raise ApiError(ErrorCode.TOO_MANY_JOBS_TODAY, values={"limit": settings.max_jobs_per_day})
    if sum(job.status is JobStatus.PENDING for job in jobs) + uploads >= settings.max_active_jobs:
        raise ApiError(ErrorCode.TOO_MANY_ACTIVE_JOBS, values={"limit": settings.max_active_jobs})


async def data_source(account: AccountStorage, name: str) -> DataSource | None:
    """The data source of this name, in any letter case."""
    return await account.datasource_guard.call(lambda: account.data_sources.get(name))


async def imported_access_id(caller: CallContext, name: str) -> str | None:
    """The access id that a data source had at Bing, as its newest imported job in the list's window tells.

    Programs have it in their URLs: what is loaded here for the first time keeps it.
    """
    since = datetime.now(UTC) - timedelta(days=caller.settings.job_window_days)
    reading = await caller.account.job_cache.created_since(from_datetime(since))
    told = (job for job in reversed(reading.value) if job.legacy_id and job.access_id)
    return next((job.access_id for job in told if (job.data_source_name or "").lower() == name.lower()), None)


async def ensure_not_deleting(
    account: AccountStorage, source: DataSource | None, name: str, jobs: list[JobRecord]
) -> None:
    """Raises WireError while a delete job of the whole data source has not completed: begun, or still waiting."""
    if source is not None and source.deleting is not None:
        raise ApiError(ErrorCode.BEING_DELETED)
    for job in jobs:
        is_waiting = job.job_type is JobType.DELETE and job.status is JobStatus.PENDING
        if is_waiting and (job.data_source_name or "").lower() == name.lower():
            row_key = job.row_key
            found = await account.creation_guard.call(lambda row_key=row_key: account.jobs.get_with_payload(row_key))  # type: ignore[misc]  # a default binds it
            if found is not None and not _is_for_staged(found[1]):
                raise ApiError(ErrorCode.BEING_DELETED)


def _is_for_staged(work: str | None) -> bool:
    """Whether a delete job is for the staged version alone; not where its row, which others write too, says nothing."""
    with suppress(ValueError, AttributeError, RecursionError):  # no JSON, or no object
        return bool(json.loads(work or "").get("staging"))
    return False


async def free_data_source(call: ApiCall, caller: CallContext) -> DataSource:
    """The data source, where the account may create a job of it now. A rollback's path has no access id."""
    account = caller.account
    source, jobs = await asyncio.gather(data_source(account, call.name), recent_jobs(account))
    if source is None or (call.access_id and source.access_id.lower() != call.access_id.lower()):
        raise ApiError(ErrorCode.NO_SUCH_DATA_SOURCE)
    await ensure_not_deleting(account, source, call.name, jobs)
    enforce_quotas(jobs, caller.settings, caller.uploads.of(account.name))
    return source


async def create_job_for(
    call: ApiCall, caller: CallContext, job_type: JobType, work: Callable[[DataSource], Mapping[str, Any]]
) -> JobRecord:
    """Creates a job of an existing data source; `work` says what its worker does, or raises WireError."""

    async def plan() -> tuple[JobRecord, Mapping[str, Any]]:
        source, moment = await free_data_source(call, caller), now()
        record = JobRecord(
            row_key=caller.account.jobs.ids.next(moment),
            job_type=job_type,
            status=JobStatus.PENDING,
            created=moment,
            data_source_name=source.name,
            access_id=source.access_id,
        )
        return record, {**work(source), "source": source.identity}

    return await create_job(caller, plan)


async def create_and_describe(
    call: ApiCall,
    caller: CallContext,
    job_type: JobType,
    work: Callable[[DataSource], Mapping[str, Any]],
    *,
    public: bool | None = None,
) -> CreatedJob:
    """Creates a job of an existing data source, as `job_of` does, and gives the answer that tells of it."""
    record = await create_job_for(call, caller, job_type, work)
    return create_response(record, caller.base, caller.key, public=public)
