"""Jobs of an existing data source: download, roll back, publish what is staged, make public or private, delete."""

from adapters.model.data_sources import DataSource, DataSourceVersion
from adapters.model.jobs import JobType
from adapters.model.versions import find_version, staged_version
from proxy.api.context import CallContext
from proxy.api.handlers.job_creation import Payload, create_and_describe, create_job_for
from proxy.api.responses import Accepted
from proxy.wire.create_response import CreatedJob
from proxy.wire.errors import ApiError, ErrorCode
from proxy.wire.parameters import parse_flag
from proxy.wire.request import ApiCall


async def create_download(call: ApiCall, context: CallContext) -> CreatedJob:
    """Exports a version, by default the published one (Create a Download Job)."""
    job_id = context.query.parameters.get("jobid") or None

    def build_payload(source: DataSource) -> Payload:
        if job_id is None:
            _ensure_found(source.published)
            return {"version": None}
        return {"version": _ensure_found(find_version(source, job_id, context.account.clock.now())).job_id}

    return await create_and_describe(call, context, JobType.DOWNLOAD, build_payload)


async def create_rollback(call: ApiCall, context: CallContext) -> CreatedJob:
    """Makes an earlier version current again (Rollback a Data Source Dataflow)."""

    def build_payload(source: DataSource) -> Payload:
        version = next((each for each in source.earlier if each.job_id == call.reference.lower()), None)
        return {"version": _ensure_found(version).job_id}

    return await create_and_describe(call, context, JobType.ROLLBACK, build_payload)


async def create_publish(call: ApiCall, context: CallContext) -> CreatedJob:
    """Makes the staged version current (Publish a Staged Data Source)."""

    def build_payload(source: DataSource) -> Payload:
        _ensure_found(staged_version(source, context.account.clock.now()))
        return {}

    return await create_and_describe(call, context, JobType.PUBLISH, build_payload)


async def create_access(call: ApiCall, context: CallContext) -> CreatedJob:
    """Makes the data source public or private (Make a Data Source Public)."""
    public = parse_flag(context.query.parameters, "setpublic", ErrorCode.BAD_SET_PUBLIC)
    if public is None:
        raise ApiError(ErrorCode.BAD_SET_PUBLIC)
    return await create_and_describe(call, context, JobType.ACCESS, lambda _: {"public": public}, public=public)


async def create_delete(call: ApiCall, context: CallContext) -> Accepted:
    """Deletes the data source, or its staged version alone (Delete a Data Source)."""
    staging = parse_flag(context.query.parameters, "isstaging", ErrorCode.BAD_IS_STAGING) or False

    def build_payload(source: DataSource) -> Payload:
        if staging:
            _ensure_found(staged_version(source, context.account.clock.now()))
        return {"staging": staging}

    await create_job_for(call, context, JobType.DELETE, build_payload)
    return Accepted()


def _ensure_found(version: DataSourceVersion | None) -> DataSourceVersion:
    if version is None:
        raise ApiError(ErrorCode.NO_SUCH_VERSION)
    return version
