"""Jobs of a data source that exists: download, roll back, publish what is staged, make public or private, delete."""

import asyncio

from adapters.datasources import DataSource
from adapters.records import JobType
from proxy.answers import Accepted
from proxy.bing.created import CreatedJob
from proxy.bing.errors import ErrorCode, WireError
from proxy.bing.parameters import flag
from proxy.bing.request import Call
from proxy.bing.versions_told import staged_version, version_of
from proxy.routes.caller import Caller
from proxy.routes.new_jobs import created, data_source, job_of, judge_limits, now, recent_jobs, refuse_if_being_deleted


async def create_download(call: Call, caller: Caller) -> CreatedJob:
    """Writes a version out, by default the published one (Create a Download Job)."""
    source = await _free(call, caller)
    job_id = caller.query.parameters.get("jobid") or None
    version = source.published if job_id is None else version_of(source, job_id, now())
    if version is None:
        raise WireError(ErrorCode.NO_SUCH_VERSION)
    return await created(caller, JobType.DOWNLOAD, source, {"version": None if job_id is None else version.job_id})


async def create_rollback(call: Call, caller: Caller) -> CreatedJob:
    """Makes an earlier version current again (Rollback a Data Source Dataflow)."""
    source = await _free(call, caller)
    version = next((each for each in source.earlier if each.job_id == call.reference.lower()), None)
    if version is None:
        raise WireError(ErrorCode.NO_SUCH_VERSION)
    return await created(caller, JobType.ROLLBACK, source, {"version": version.job_id})


async def create_publish(call: Call, caller: Caller) -> CreatedJob:
    """Makes the staged version current (Publish a Staged Data Source)."""
    source = await _free(call, caller)
    if staged_version(source, now()) is None:
        raise WireError(ErrorCode.NO_SUCH_VERSION)
    return await created(caller, JobType.PUBLISH, source, {})


async def create_access(call: Call, caller: Caller) -> CreatedJob:
    """Makes the data source public or private (Make a Data Source Public)."""
    public = flag(caller.query.parameters, "setpublic", ErrorCode.BAD_SET_PUBLIC)
    if public is None:
        raise WireError(ErrorCode.BAD_SET_PUBLIC)
    source = await _free(call, caller)
    return await created(caller, JobType.ACCESS, source, {"public": public}, public=public)


async def create_delete(call: Call, caller: Caller) -> Accepted:
    """Deletes the data source, or its staged version alone (Delete a Data Source)."""
    staging = flag(caller.query.parameters, "isstaging", ErrorCode.BAD_IS_STAGING) or False
    source = await _free(call, caller)
    if staging and staged_version(source, now()) is None:
        raise WireError(ErrorCode.NO_SUCH_VERSION)
    await job_of(caller, JobType.DELETE, source, {"staging": staging})
    return Accepted()


async def _free(call: Call, caller: Caller) -> DataSource:
    """The data source, where the account may create a job of it now. A rollback's path has no access id."""
    account = caller.account
    source, jobs = await asyncio.gather(data_source(account, call.name), recent_jobs(account))
    if source is None or (call.access_id and source.access_id.lower() != call.access_id.lower()):
        raise WireError(ErrorCode.NO_SUCH_DATA_SOURCE)
    await refuse_if_being_deleted(account, source, call.name, jobs)
    judge_limits(jobs, caller.settings)
    return source
