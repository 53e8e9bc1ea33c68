"""Jobs of an existing data source: download, roll back, publish what is staged, make public or private, delete."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from adapters.account import AccountStorage
from adapters.model.data_sources import DataSource, DataSourceVersion
from adapters.model.jobs import JobRecord, JobStatus, JobType
from adapters.model.ticks import Ticks
from adapters.model.versions import find_version, staged_version
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


@dataclass(frozen=True, slots=True)
class SourceName:
    """A data source's name, in any letter case, and the access id that it must have; empty for any."""

    name: str
    access_id: str = ""


@dataclass(frozen=True, slots=True)
class SourceJob:
    """A job of a data source, before it is known to be possible.

    Args:
        job_type: its type.
        build_payload: takes the data source and the instant, and raises ApiError where it has no such version.
    """

    job_type: JobType
    build_payload: Callable[[DataSource, Ticks], Payload]


def download(version_id: str | None = None) -> SourceJob:
    """Exports a version, by default the published one."""

    def build_payload(source: DataSource, moment: Ticks) -> Payload:
        if version_id is None:
            _ensure_found(source.published)
            return {"version": None}
        return {"version": _ensure_found(find_version(source, version_id, moment)).job_id}

    return SourceJob(JobType.DOWNLOAD, build_payload)


def roll_back(version_id: str) -> SourceJob:
    """Makes an earlier version current again."""

    def build_payload(source: DataSource, _: Ticks) -> Payload:
        version = next((each for each in source.earlier if each.job_id == version_id.lower()), None)
        return {"version": _ensure_found(version).job_id}

    return SourceJob(JobType.ROLLBACK, build_payload)


def publish() -> SourceJob:
    """Makes the staged version current."""

    def build_payload(source: DataSource, moment: Ticks) -> Payload:
        _ensure_found(staged_version(source, moment))
        return {}

    return SourceJob(JobType.PUBLISH, build_payload)


def set_public(*, public: bool) -> SourceJob:
    """Makes the data source public or private."""
    return SourceJob(JobType.ACCESS, lambda _source, _moment: {"public": public})


def delete(*, staging: bool) -> SourceJob:
    """Deletes the data source, or its staged version alone."""

    def build_payload(source: DataSource, moment: Ticks) -> Payload:
        if staging:
            _ensure_found(staged_version(source, moment))
        return {"staging": staging}

    return SourceJob(JobType.DELETE, build_payload)


def plan_source_job(
    job: SourceJob, named: SourceName, account: AccountStorage, settings: Settings, uploads: int = 0
) -> Plan:
    """Plans a job for `create_job`.

    Args:
        job: the job.
        named: the data source.
        account: its account.
        settings: those with the quotas.
        uploads: the account's uploads that count as a job each, because they have none yet.

    Returns:
        The plan, which raises ApiError where the job is not possible now.
    """

    async def plan() -> tuple[JobRecord, Payload]:
        source, jobs = await asyncio.gather(data_source(account, named.name), recent_jobs(account))
        if source is None or (named.access_id and source.access_id.lower() != named.access_id.lower()):
            raise ApiError(ErrorCode.NO_SUCH_DATA_SOURCE)
        await ensure_not_deleting(account, source, named.name, jobs)
        enforce_quotas(jobs, settings, uploads)
        moment = now()
        record = JobRecord(
            row_key=account.jobs.ids.next(moment),
            job_type=job.job_type,
            status=JobStatus.PENDING,
            created=moment,
            data_source_name=source.name,
            access_id=source.access_id,
        )
        return record, {**job.build_payload(source, account.clock.now()), "source": source.identity}

    return plan


def _ensure_found(version: DataSourceVersion | None) -> DataSourceVersion:
    if version is None:
        raise ApiError(ErrorCode.NO_SUCH_VERSION)
    return version
