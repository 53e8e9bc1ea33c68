"""Jobs of a data source that exists: download, roll back, publish what is staged, make public or private, delete."""

from collections.abc import Mapping
from typing import Any

from adapters.datasources import DataSource
from adapters.records import JobType
from proxy.answers import Accepted
from proxy.bing.created import CreatedJob
from proxy.bing.errors import ErrorCode, WireError
from proxy.bing.parameters import flag
from proxy.bing.request import Call
from proxy.bing.versions_told import staged_version, version_of
from proxy.routes.caller import Caller
from proxy.routes.new_jobs import created, job_of


async def create_download(call: Call, caller: Caller) -> CreatedJob:
    """Writes a version out, by default the published one (Create a Download Job)."""
    job_id = caller.query.parameters.get("jobid") or None

    def work(source: DataSource) -> Mapping[str, Any]:
        version = source.published if job_id is None else version_of(source, job_id, caller.account.clock.now())
        if version is None:
            raise WireError(ErrorCode.NO_SUCH_VERSION)
        return {"version": None if job_id is None else version.job_id}

    return await created(call, caller, JobType.DOWNLOAD, work)


async def create_rollback(call: Call, caller: Caller) -> CreatedJob:
    """Makes an earlier version current again (Rollback a Data Source Dataflow)."""

    def work(source: DataSource) -> Mapping[str, Any]:
        version = next((each for each in source.earlier if each.job_id == call.reference.lower()), None)
        if version is None:
            raise WireError(ErrorCode.NO_SUCH_VERSION)
        return {"version": version.job_id}

    return await created(call, caller, JobType.ROLLBACK, work)


async def create_publish(call: Call, caller: Caller) -> CreatedJob:
    """Makes the staged version current (Publish a Staged Data Source)."""

    def work(source: DataSource) -> Mapping[str, Any]:
        if staged_version(source, caller.account.clock.now()) is None:
            raise WireError(ErrorCode.NO_SUCH_VERSION)
        return {}

    return await created(call, caller, JobType.PUBLISH, work)


async def create_access(call: Call, caller: Caller) -> CreatedJob:
    """Makes the data source public or private (Make a Data Source Public)."""
    public = flag(caller.query.parameters, "setpublic", ErrorCode.BAD_SET_PUBLIC)
    if public is None:
        raise WireError(ErrorCode.BAD_SET_PUBLIC)
    return await created(call, caller, JobType.ACCESS, lambda _: {"public": public}, public=public)


async def create_delete(call: Call, caller: Caller) -> Accepted:
    """Deletes the data source, or its staged version alone (Delete a Data Source)."""
    staging = flag(caller.query.parameters, "isstaging", ErrorCode.BAD_IS_STAGING) or False

    def work(source: DataSource) -> Mapping[str, Any]:
        if staging and staged_version(source, caller.account.clock.now()) is None:
            raise WireError(ErrorCode.NO_SUCH_VERSION)
        return {"staging": staging}

    await job_of(call, caller, JobType.DELETE, work)
    return Accepted()
