"""Jobs of a data source that exists: download, roll back, publish what is staged, make public or private, delete."""

from collections.abc import Mapping
from typing import Any

from adapters.model.jobs import JobType
from adapters.tables.data_source_store import DataSource
from proxy.api.context import CallContext
from proxy.api.handlers.job_creation import create_and_describe, create_job_for
from proxy.api.responses import Accepted
from proxy.wire.create_response import CreatedJob
from proxy.wire.errors import ApiError, ErrorCode
from proxy.wire.parameters import flag
from proxy.wire.request import ApiCall
from proxy.wire.version_entries import staged_version, version_of


async def create_download(call: ApiCall, caller: CallContext) -> CreatedJob:
    """Writes a version out, by default the published one (Create a Download Job)."""
    job_id = caller.query.parameters.get("jobid") or None

    def work(source: DataSource) -> Mapping[str, Any]:
        version = source.published if job_id is None else version_of(source, job_id, caller.account.clock.now())
        if version is None:
            raise ApiError(ErrorCode.NO_SUCH_VERSION)
        return {"version": None if job_id is None else version.job_id}

    return await create_and_describe(call, caller, JobType.DOWNLOAD, work)


async def create_rollback(call: ApiCall, caller: CallContext) -> CreatedJob:
    """Makes an earlier version current again (Rollback a Data Source Dataflow)."""

    def work(source: DataSource) -> Mapping[str, Any]:
        version = next((each for each in source.earlier if each.job_id == call.reference.lower()), None)
        if version is None:
            raise ApiError(ErrorCode.NO_SUCH_VERSION)
        return {"version": version.job_id}

    return await create_and_describe(call, caller, JobType.ROLLBACK, work)


async def create_publish(call: ApiCall, caller: CallContext) -> CreatedJob:
    """Makes the staged version current (Publish a Staged Data Source)."""

    def work(source: DataSource) -> Mapping[str, Any]:
        if staged_version(source, caller.account.clock.now()) is None:
            raise ApiError(ErrorCode.NO_SUCH_VERSION)
        return {}

    return await create_and_describe(call, caller, JobType.PUBLISH, work)


async def create_access(call: ApiCall, caller: CallContext) -> CreatedJob:
    """Makes the data source public or private (Make a Data Source Public)."""
    public = flag(caller.query.parameters, "setpublic", ErrorCode.BAD_SET_PUBLIC)
    if public is None:
        raise ApiError(ErrorCode.BAD_SET_PUBLIC)
    return await create_and_describe(call, caller, JobType.ACCESS, lambda _: {"public": public}, public=public)


async def create_delete(call: ApiCall, caller: CallContext) -> Accepted:
    """Deletes the data source, or its staged version alone (Delete a Data Source)."""
    staging = flag(caller.query.parameters, "isstaging", ErrorCode.BAD_IS_STAGING) or False

    def work(source: DataSource) -> Mapping[str, Any]:
        if staging and staged_version(source, caller.account.clock.now()) is None:
            raise ApiError(ErrorCode.NO_SUCH_VERSION)
        return {"staging": staging}

    await create_job_for(call, caller, JobType.DELETE, work)
    return Accepted()
