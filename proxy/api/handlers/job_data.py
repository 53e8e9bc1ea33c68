"""The data of a new job: a request's body, which goes to a blob, or a location from which the worker fetches it."""

from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress

from adapters.blobs.blocks import BlobTooLargeError
from adapters.blobs.store import UPLOADS
from adapters.errors import StorageError
from adapters.model.jobs import BlobPath
from adapters.remote.fetch import FetchError, check_location
from proxy.api.context import CallContext, storage_deadline
from proxy.operations.job_creation import now
from proxy.wire.create_response import CreatedJob
from proxy.wire.errors import ApiError, ErrorCode

MEGABYTE = 1024 * 1024

Check = Callable[[int], Awaitable[object]]
"""Raises ApiError where the account may not create the job. It is passed the uploads that count as a job each."""

Create = Callable[[BlobPath | None], Awaitable[CreatedJob]]
"""Creates the job, with the blob of its data where that was in the body."""


async def create_with_data(location: str | None, context: CallContext, check: Check, create: Create) -> CreatedJob:
    """Creates a job that has data. The body is read after the quotas have admitted it.

    Args:
        location: where the data is, if it is not in the body.
        context: the caller's.
        check: checks the quotas before the body is read.
        create: creates the job.

    Raises:
        ApiError: there is no data or too much of it, it is in two places, or the account may not create the job.
    """
    await _check_place(location, context)
    seconds = context.settings.storage_timeout
    if location is not None:
        async with storage_deadline(seconds):
            return await create(None)
    name, limit = context.account.name, context.settings.max_active_jobs
    with context.uploads.track(name, limit) as upload:
        if upload is None:
            raise ApiError(ErrorCode.TOO_MANY_ACTIVE_JOBS, values={"limit": limit})
        async with storage_deadline(seconds):
            await check(context.uploads.count(name, before=upload))
        upload.is_admitted = True
        path = BlobPath(UPLOADS, f"{name}/{context.account.jobs.ids.next(now())}")
        await _store(context, path)
        async with storage_deadline(seconds):
            return await create(path)


async def _check_place(location: str | None, context: CallContext) -> None:
    """Checks that the data is in one place. It reads no more of a body than that takes, and fetches nothing."""
    body, settings = context.body, context.settings
    if (body.length or 0) > settings.max_upload_mb * MEGABYTE:
        raise ApiError(ErrorCode.BODY_TOO_LARGE)
    if location is None:
        if not body.is_announced:
            raise ApiError(ErrorCode.NO_DATA)
        return
    if not await body.is_empty():
        raise ApiError(ErrorCode.BODY_AND_LOCATION)
    try:
        # The worker fetches it, and checks the addresses of its host then.
        check_location(location, frozenset(settings.data_location_hosts), context.account.blob_url)
    except FetchError:
        raise ApiError(ErrorCode.BAD_DATA_LOCATION) from None


async def _store(context: CallContext, path: BlobPath) -> None:
    """Streams the body to a blob. The sender has its own pace, and storage its time for each block."""
    blobs = context.account.blobs
    try:
        async with aclosing(aiter(context.body)) as pieces:
            size = await blobs.write(path, pieces, context.settings.max_upload_mb * MEGABYTE)
    except BlobTooLargeError:
        raise ApiError(ErrorCode.BODY_TOO_LARGE) from None
    if not size:
        with suppress(StorageError, TimeoutError):  # the cleanup deletes what is left
            async with storage_deadline(context.settings.storage_timeout):
                await blobs.delete(path)
        raise ApiError(ErrorCode.NO_DATA)
