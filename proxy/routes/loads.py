"""Creating a load job: from the request's parameters to the data in Blob Storage and a job in the queue."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing, suppress
from pathlib import PurePosixPath
from typing import Any
from uuid import uuid4

from adapters.datasources import DataSource
from adapters.errors import StorageFaultError
from adapters.files import UPLOADS, TooLargeError
from adapters.locations import LocationError, check_location
from adapters.records import BlobPath, JobRecord, JobStatus, JobType
from proxy.bing.created import CreatedJob, created_answer
from proxy.bing.errors import ErrorCode, WireError
from proxy.bing.parameters import STAGING, LoadRequest, load_request
from proxy.bing.request import Call
from proxy.deadline import storage_deadline
from proxy.keyring import DIGEST_PREFIX, digest_of
from proxy.routes.caller import Caller
from proxy.routes.creation import create_job, now
from proxy.routes.new_jobs import (
    access_id_at_bing,
    data_source,
    judge_limits,
    recent_jobs,
    refuse_if_being_deleted,
)

MEGABYTE = 1024 * 1024

# What makes a data source where there is none; an incremental load may come while that is still under way.
_LOADS = frozenset((JobType.COMPLETE, JobType.INCREMENTAL)) | STAGING


async def create_load(_call: Call, caller: Caller) -> CreatedJob:
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
            raise WireError(ErrorCode.TOO_MANY_ACTIVE_JOBS, values={"limit": limit})
        async with storage_deadline(seconds):
            await _judge_standing(asked, caller, caller.uploads.of(name, before=under_way))
        under_way.is_admitted = True
        upload = BlobPath(UPLOADS, f"{name}/{caller.account.jobs.ids.next(now())}")
        await _store(caller, upload)
        async with storage_deadline(seconds):
            return await _create(asked, upload, caller)


async def _judge_query_key(caller: Caller) -> None:
    key = caller.query.query_key
    if key is not None and (key == caller.query.key or not await caller.has_key(key)):
        raise WireError(ErrorCode.BAD_QUERY_KEY)


async def _judge_body(asked: LoadRequest, caller: Caller) -> None:
    """The data is in one place; of a body only what must be is read."""
    if (caller.body.length or 0) > _most(caller):
        raise WireError(ErrorCode.BODY_TOO_LARGE)
    if asked.location is None and not caller.body.is_announced:
        raise WireError(ErrorCode.NO_DATA)
    if asked.location is not None and not await caller.body.is_empty():
        raise WireError(ErrorCode.BODY_AND_LOCATION)


def _judge_location(asked: LoadRequest, caller: Caller) -> None:
    """Nobody is asked yet: the worker fetches it, and judges then which addresses its host has."""
    if asked.location is not None:
        try:
            check_location(asked.location, frozenset(caller.settings.data_location_hosts), caller.account.blob_url)
        except LocationError:
            raise WireError(ErrorCode.BAD_DATA_LOCATION) from None


async def _judge_standing(asked: LoadRequest, caller: Caller, uploads: int) -> tuple[DataSource | None, str | None]:
    """The data source as it is, where the account may load it now, and its access id: where it has had one.

    `uploads` of the account have no job yet, and count as one each.
    """
    account, settings = caller.account, caller.settings
    source, jobs = await asyncio.gather(data_source(account, asked.name), recent_jobs(account))
    access_id = await access_id_at_bing(caller, asked.name) if source is None else source.access_id
    if asked.access_id is not None and (access_id or "").lower() != asked.access_id.lower():
        raise WireError(ErrorCode.NO_SUCH_DATA_SOURCE)
    await refuse_if_being_deleted(account, source, asked.name, jobs)
    if source is None:
        # Loads under way make data sources too, which are not there yet.
        names = {each.name.lower() for each in await account.datasource_guard.run(account.datasources.all)}
        pending = (job for job in jobs if job.status is JobStatus.PENDING and job.job_type in _LOADS)
        names |= {(job.data_source_name or "").lower() for job in pending}
        if asked.name.lower() not in names and len(names) >= settings.max_data_sources:
            raise WireError(ErrorCode.TOO_MANY_DATA_SOURCES)
    judge_limits(jobs, settings, uploads)
    return source, access_id


async def _store(caller: Caller, path: BlobPath) -> None:
    """Streams the body to a blob: the sender has its own pace, and storage its time for each block."""
    try:
        async with aclosing(aiter(caller.body)) as pieces:
            size = await caller.account.files.write(path, pieces, _most(caller))
    except TooLargeError:
        raise WireError(ErrorCode.BODY_TOO_LARGE) from None
    if not size:
        await _discard(caller, path)
        raise WireError(ErrorCode.NO_DATA)


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


async def _create(asked: LoadRequest, upload: BlobPath | None, caller: Caller) -> CreatedJob:
    query_key = caller.query.query_key

    async def plan() -> tuple[JobRecord, Mapping[str, Any]]:
        # The upload took its time, and others may have created jobs since.
        uploads = 0 if upload is not None else caller.uploads.of(caller.account.name)
        source, access_id = await _judge_standing(asked, caller, uploads)
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
    return created_answer(record, caller.base, caller.key)


async def _discard(caller: Caller, path: BlobPath) -> None:
    """Removes what was stored for nothing. Should that fail too, a blob is left that nobody refers to."""
    with suppress(StorageFaultError, TimeoutError):
        async with asyncio.timeout(caller.settings.storage_timeout):
            await caller.account.files.delete(path)


def _most(caller: Caller) -> int:
    return caller.settings.max_upload_mb * MEGABYTE


def _digest(key: bytes) -> str:
    return DIGEST_PREFIX + digest_of(key).hex()
