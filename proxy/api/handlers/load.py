"""Creating a load job: from the request's parameters to the data in Blob Storage and a job in the queue."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing, suppress
from pathlib import PurePosixPath
from typing import Any
from uuid import uuid4

from adapters.blobs.store import UPLOADS, BlobTooLargeError
from adapters.errors import StorageError
from adapters.model.jobs import BlobPath, JobRecord, JobStatus, JobType
from adapters.remote.fetch import FetchError, check_location
from adapters.tables.data_source_store import DataSource
from proxy.api.context import CallContext
from proxy.api.deadlines import storage_deadline
from proxy.api.handlers.creation import create_job, now
from proxy.api.handlers.job_creation import (
    data_source,
    enforce_quotas,
    ensure_not_deleting,
    imported_access_id,
    recent_jobs,
)
from proxy.keyring.keyring import DIGEST_PREFIX, digest_of
from proxy.wire.create_response import CreatedJob, create_response
from proxy.wire.errors import ApiError, ErrorCode
from proxy.wire.parameters import STAGING, LoadRequest, load_request
from proxy.wire.request import ApiCall

MEGABYTE = 1024 * 1024

# What makes a data source where there is none; an incremental load may come while that is still under way.
_LOADS = frozenset((JobType.COMPLETE, JobType.INCREMENTAL)) | STAGING


async def create_load(_call: ApiCall, caller: CallContext) -> CreatedJob:
    """Judges the request, stores its data, creates the job (Create a Load Data Source Job and Input Entity Data)."""
    asked = load_request(caller.query)
    await _judge_query_key(caller)
    await _judge_body(asked, caller)
    _judge_location(asked, caller)
    seconds = caller.settings.storage_timeout
    if asked.location is not None:
        async with storage_deadline(seconds):
            return await _create(asked, None, caller)
    name, limit = caller.account.name, caller.settings.max_active_jobs
    with caller.uploads.one_more(name, limit) as under_way:
        if under_way is None:
            raise ApiError(ErrorCode.TOO_MANY_ACTIVE_JOBS, values={"limit": limit})
        async with storage_deadline(seconds):
            await check_preconditions(asked, caller, caller.uploads.of(name, before=under_way))
        under_way.is_admitted = True
        upload = BlobPath(UPLOADS, f"{name}/{caller.account.jobs.ids.next(now())}")
        await _store(caller, upload)
        async with storage_deadline(seconds):
            return await _create(asked, upload, caller)


async def _judge_query_key(caller: CallContext) -> None:
    key = caller.query.query_key
    if key is not None and (key == caller.query.key or not await caller.has_key(key)):
        raise ApiError(ErrorCode.BAD_QUERY_KEY)


async def _judge_body(asked: LoadRequest, caller: CallContext) -> None:
    """The data is in one place; of a body only what must be is read."""
    if (caller.body.length or 0) > _most(caller):
        raise ApiError(ErrorCode.BODY_TOO_LARGE)
    if asked.location is None and not caller.body.is_announced:
        raise ApiError(ErrorCode.NO_DATA)
    if asked.location is not None and not await caller.body.is_empty():
        raise ApiError(ErrorCode.BODY_AND_LOCATION)


def _judge_location(asked: LoadRequest, caller: CallContext) -> None:
    """Nobody is asked yet: the worker fetches it, and judges then which addresses its host has."""
    if asked.location is not None:
        try:
            check_location(asked.location, frozenset(caller.settings.data_location_hosts), caller.account.blob_url)
        except FetchError:
            raise ApiError(ErrorCode.BAD_DATA_LOCATION) from None


async def check_preconditions(
    asked: LoadRequest, caller: CallContext, uploads: int
) -> tuple[DataSource | None, str | None]:
    """The data source as it is, where the account may load it now, and its access id: where it has had one.

    `uploads` of the account have no job yet, and count as one each.
    """
    account, settings = caller.account, caller.settings
    source, jobs = await asyncio.gather(data_source(account, asked.name), recent_jobs(account))
    access_id = await imported_access_id(caller, asked.name) if source is None else source.access_id
    if asked.access_id is not None and (access_id or "").lower() != asked.access_id.lower():
        raise ApiError(ErrorCode.NO_SUCH_DATA_SOURCE)
    await ensure_not_deleting(account, source, asked.name, jobs)
    if source is None:
        # Loads under way make data sources too, which are not there yet.
        names = {each.name.lower() for each in await account.datasource_guard.call(account.data_sources.all)}
        pending = (job for job in jobs if job.status is JobStatus.PENDING and job.job_type in _LOADS)
        names |= {(job.data_source_name or "").lower() for job in pending}
        if asked.name.lower() not in names and len(names) >= settings.max_data_sources:
            raise ApiError(ErrorCode.TOO_MANY_DATA_SOURCES)
    enforce_quotas(jobs, settings, uploads)
    return source, access_id


async def _store(caller: CallContext, path: BlobPath) -> None:
    """Streams the body to a blob: the sender has its own pace, and storage its time for each block."""
    try:
        async with aclosing(aiter(caller.body)) as pieces:
            size = await caller.account.blobs.write(path, pieces, _most(caller))
    except BlobTooLargeError:
        raise ApiError(ErrorCode.BODY_TOO_LARGE) from None
    if not size:
        await _discard(caller, path)
        raise ApiError(ErrorCode.NO_DATA)


def _record(job_id: str, asked: LoadRequest, source: DataSource | None, access_id: str | None) -> JobRecord:
    return JobRecord(
        row_key=job_id,
        job_type=asked.job_type,
        status=JobStatus.PENDING,
        created=now(),
        data_source_name=asked.name if source is None else source.name,
        access_id=access_id or uuid4().hex,
        description=asked.description,
    )


async def _create(asked: LoadRequest, upload: BlobPath | None, caller: CallContext) -> CreatedJob:
    query_key = caller.query.query_key

    async def plan() -> tuple[JobRecord, Mapping[str, Any]]:
        # The upload took its time, and others may have created jobs since.
        uploads = 0 if upload is not None else caller.uploads.of(caller.account.name)
        source, access_id = await check_preconditions(asked, caller, uploads)
        # The data is named for its job; else the job's id sorts behind those of all jobs that were just read.
        job_id = caller.account.jobs.ids.next(now()) if upload is None else PurePosixPath(upload.name).name
        record = _record(job_id, asked, source, access_id)
        return record, {
            "operation": asked.operation,
            "input": asked.input,
            **({"location": asked.location} if upload is None else {"upload": str(upload)}),
            "public": asked.public,
            "access_id": record.access_id,
            "master_key": _digest(caller.key),
            "query_key": None if query_key is None else _digest(query_key),
        }

    record = await create_job(caller, plan, upload)
    return create_response(record, caller.base, caller.key)


async def _discard(caller: CallContext, path: BlobPath) -> None:
    """Removes what was stored for nothing. Should that fail too, a blob is left that nobody refers to."""
    with suppress(StorageError, TimeoutError):
        async with asyncio.timeout(caller.settings.storage_timeout):
            await caller.account.blobs.delete(path)


def _most(caller: CallContext) -> int:
    return caller.settings.max_upload_mb * MEGABYTE


def _digest(key: bytes) -> str:
    return DIGEST_PREFIX + digest_of(key).hex()
