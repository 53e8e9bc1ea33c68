"""Jobs of an existing data source: download, roll back, publish what is staged, make public or private, delete."""

from adapters.model.jobs import JobRecord
from proxy.api.context import CallContext
from proxy.api.responses import Accepted
from proxy.operations.job_creation import create_job
from proxy.operations.source_jobs import (
    SourceJob,
    SourceName,
    delete,
    download,
    plan_source_job,
    publish,
    roll_back,
    set_public,
)
from proxy.wire.create_response import CreatedJob, create_response
from proxy.wire.errors import ApiError, ErrorCode
from proxy.wire.parameters import parse_flag
from proxy.wire.request import ApiCall


async def create_download(call: ApiCall, context: CallContext) -> CreatedJob:
    """Exports a version, by default the published one (Create a Download Job)."""
    return await _create_and_describe(call, context, download(context.query.parameters.get("jobid") or None))


async def create_rollback(call: ApiCall, context: CallContext) -> CreatedJob:
    """Makes an earlier version current again (Rollback a Data Source Dataflow)."""
    return await _create_and_describe(call, context, roll_back(call.reference))


async def create_publish(call: ApiCall, context: CallContext) -> CreatedJob:
    """Makes the staged version current (Publish a Staged Data Source)."""
    return await _create_and_describe(call, context, publish())


async def create_access(call: ApiCall, context: CallContext) -> CreatedJob:
    """Makes the data source public or private (Make a Data Source Public)."""
    public = parse_flag(context.query.parameters, "setpublic", ErrorCode.BAD_SET_PUBLIC)
    if public is None:
        raise ApiError(ErrorCode.BAD_SET_PUBLIC)
    return await _create_and_describe(call, context, set_public(public=public), public=public)


async def create_delete(call: ApiCall, context: CallContext) -> Accepted:
    """Deletes the data source, or its staged version alone (Delete a Data Source)."""
    staging = parse_flag(context.query.parameters, "isstaging", ErrorCode.BAD_IS_STAGING) or False
    await _create(call, context, delete(staging=staging))
    return Accepted()


async def _create_and_describe(
    call: ApiCall, context: CallContext, job: SourceJob, *, public: bool | None = None
) -> CreatedJob:
    record = await _create(call, context, job)
    return create_response(record, context.base, context.key, public=public)


async def _create(call: ApiCall, context: CallContext, job: SourceJob) -> JobRecord:
    account = context.account
    uploads = context.uploads.count(account.name)
    # The path of a rollback has no access id.
    plan = plan_source_job(job, SourceName(call.name, call.access_id), account, context.settings, uploads)
    return await create_job(account, plan, context.shielded_tasks.start)
