"""Creates a load job: from the request's parameters to the data in Blob Storage and a job in the queue."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from uuid import uuid4

from adapters.model.data_sources import DataSource
from adapters.model.jobs import BlobPath, JobRecord, JobStatus, JobType
from adapters.model.ticks import from_datetime
from proxy.api.context import CallContext
from proxy.api.handlers.job_data import create_with_data
from proxy.keyring.keyring import DIGEST_PREFIX, hash_key
from proxy.operations.job_creation import (
    Payload,
    create_job,
    data_source,
    enforce_quotas,
    ensure_not_deleting,
    now,
    recent_jobs,
)
from proxy.wire.create_response import CreatedJob, create_response
from proxy.wire.errors import ApiError, ErrorCode
from proxy.wire.parameters import STAGING, LoadRequest, parse_load_request
from proxy.wire.request import ApiCall

# These create a missing data source. An incremental load may come while one of them is pending.
_LOADS = frozenset((JobType.COMPLETE, JobType.INCREMENTAL)) | STAGING


async def create_load(_call: ApiCall, context: CallContext) -> CreatedJob:
    """Checks the request, stores its data, creates the job (Create a Load Data Source Job and Input Entity Data)."""
    request = parse_load_request(context.query)
    await _check_query_key(context)
    return await create_with_data(
        request.location,
        context,
        lambda uploads: check_preconditions(request, context, uploads),
        lambda upload: _create(request, upload, context),
    )


async def _check_query_key(context: CallContext) -> None:
    key = context.query.query_key
    if key is not None and (key == context.query.key or not await context.has_key(key)):
        raise ApiError(ErrorCode.BAD_QUERY_KEY)


async def check_preconditions(
    request: LoadRequest, context: CallContext, uploads: int
) -> tuple[DataSource | None, str | None]:
    """Checks that the account may load the data source now.

    Args:
        request: the parameters of the load.
        context: the caller's.
        uploads: the account's uploads that count as a job each, because they have none yet.

    Returns:
        The data source, where it exists, and its access id, where it has had one.

    Raises:
        ApiError: the account may not.
    """
    account, settings = context.account, context.settings
    source, jobs = await asyncio.gather(data_source(account, request.name), recent_jobs(account))
    access_id = await _imported_access_id(context, request.name) if source is None else source.access_id
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


async def _create(request: LoadRequest, upload: BlobPath | None, context: CallContext) -> CreatedJob:
    query_key = context.query.query_key

    async def plan() -> tuple[JobRecord, Payload]:
        # Others may have created jobs during the upload.
        uploads = 0 if upload is not None else context.uploads.count(context.account.name)
        source, access_id = await check_preconditions(request, context, uploads)
        record = JobRecord(
            # An upload has its job's id as its name. Any other id has to sort behind the jobs that were just read.
            row_key=context.account.jobs.ids.next(now()) if upload is None else PurePosixPath(upload.name).name,
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
            "master_key": _format_digest(context.key),
            "query_key": None if query_key is None else _format_digest(query_key),
        }

    record = await create_job(context.account, plan, context.shielded_tasks.start, upload)
    return create_response(record, context.base, context.key)


async def _imported_access_id(context: CallContext, name: str) -> str | None:
    """The access id that a data source had at Bing, from its newest imported job in the job list's window.

    Programs have it in their URLs, so a data source that is loaded here for the first time keeps it.
    """
    since = datetime.now(UTC) - timedelta(days=context.settings.job_window_days)
    entry = await context.account.job_cache.list_created_since(from_datetime(since))
    imported = (job for job in reversed(entry.value) if job.legacy_id and job.access_id)
    return next((job.access_id for job in imported if (job.data_source_name or "").lower() == name.lower()), None)


def _format_digest(key: bytes) -> str:
    return DIGEST_PREFIX + hash_key(key).hex()
