"""Plans load jobs: whether the account may load a data source now, and the job's record and work."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from uuid import uuid4

from adapters.account import AccountStorage
from adapters.model.data_sources import DataSource
from adapters.model.jobs import BlobPath, JobRecord, JobStatus, JobType
from adapters.model.ticks import from_datetime
from proxy.operations.job_creation import (
    Payload,
    Plan,
    data_source,
    enforce_quotas,
    ensure_not_deleting,
    now,
    recent_jobs,
)
from proxy.settings import Settings
from proxy.wire.errors import ApiError, ErrorCode
from proxy.wire.parameters import STAGING, LoadRequest

# These create a missing data source. An incremental load may come while one of them is pending.
_LOADS = frozenset((JobType.COMPLETE, JobType.INCREMENTAL)) | STAGING


@dataclass(frozen=True, slots=True)
class NewLoad:
    """A load before it has a job.

    Args:
        request: its parameters.
        upload: the blob of its data, which has the job's id as its name; None where the request has a location.
        master_key: the digest, as rows have it, of the master key of a data source that it creates.
        query_key: the digest of the key that may query the data source.
    """

    request: LoadRequest
    upload: BlobPath | None
    master_key: str | None = None
    query_key: str | None = None


async def check_load(
    request: LoadRequest, account: AccountStorage, settings: Settings, uploads: int = 0
) -> tuple[DataSource | None, str | None]:
    """Checks that the account may load the data source now.

    Args:
        request: the parameters of the load.
        account: the account.
        settings: those with the quotas.
        uploads: the account's uploads that count as a job each, because they have none yet.

    Returns:
        The data source, where it exists, and its access id, where it has had one.

    Raises:
        ApiError: the account may not.
    """
    source, jobs = await asyncio.gather(data_source(account, request.name), recent_jobs(account))
    access_id = await _imported_access_id(account, settings, request.name) if source is None else source.access_id
    if request.access_id is not None and (access_id or "").lower() != request.access_id.lower():
        raise ApiError(ErrorCode.NO_SUCH_DATA_SOURCE)
    await ensure_not_deleting(account, source, request.name, jobs)
    if source is None:
        names = {each.name.lower() for each in await account.data_source_breaker.call(account.data_sources.list_all)}
        # Pending loads create data sources too.
        pending = (job for job in jobs if job.status is JobStatus.PENDING and job.job_type in _LOADS)
        names |= {(job.data_source_name or "").lower() for job in pending}
        if request.name.lower() not in names and len(names) >= settings.max_data_sources:
            raise ApiError(ErrorCode.TOO_MANY_DATA_SOURCES)
    enforce_quotas(jobs, settings, uploads)
    return source, access_id


def plan_load(
    load: NewLoad, account: AccountStorage, settings: Settings, count_uploads: Callable[[], int] = lambda: 0
) -> Plan:
    """Plans a load for `create_job`.

    Args:
        load: the load.
        account: its account.
        settings: those with the quotas.
        count_uploads: counts the account's uploads that have no job yet, without this one.

    Returns:
        The plan, which raises ApiError where the load is not possible now.
    """
    request, upload = load.request, load.upload

    async def plan() -> tuple[JobRecord, Payload]:
        # Others may have created jobs during the upload.
        source, access_id = await check_load(request, account, settings, count_uploads())
        record = JobRecord(
            # Any other id than the upload's has to sort behind the jobs that were just read.
            row_key=account.jobs.ids.next(now()) if upload is None else PurePosixPath(upload.name).name,
            job_type=request.job_type,
            status=JobStatus.PENDING,
            created=now(),
            data_source_name=request.name if source is None else source.name,
            access_id=access_id or uuid4().hex,
            description=request.description,
        )
        return record, {
            "operation": request.operation,
            "input": request.input,
            **({"location": request.location} if upload is None else {"upload": str(upload)}),
            "public": request.public,
            "access_id": record.access_id,
            "master_key": load.master_key,
            "query_key": load.query_key,
        }

    return plan


async def _imported_access_id(account: AccountStorage, settings: Settings, name: str) -> str | None:
    """The access id that a data source had at Bing, from its newest imported job in the job list's window.

    Programs have it in their URLs, so a data source that is loaded here for the first time keeps it.
    """
    since = datetime.now(UTC) - timedelta(days=settings.job_window_days)
    entry = await account.job_cache.list_created_since(from_datetime(since))
    imported = (job for job in reversed(entry.value) if job.legacy_id and job.access_id)
    return next((job.access_id for job in imported if (job.data_source_name or "").lower() == name.lower()), None)
