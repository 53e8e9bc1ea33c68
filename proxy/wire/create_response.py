"""The answers that tell of a job just created (the create pages of each job type)."""

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote_from_bytes

from adapters.model.jobs import JobRecord, JobStatus, JobType
from proxy.wire.job_resources import STATUS_TEXTS
from proxy.wire.job_types import JOB_TYPES, StatusPath
from proxy.wire.links import status_url
from proxy.wire.resources import EntityCounts, JobResource, Link, ResourceType


@dataclass(frozen=True, slots=True)
class CreateResponseSpec:
    """How the answer to a creation differs from a status answer.

    Some pages print another word than Pending; it stands in this answer only. `names_type`: the description is the job
    type, which the client checks. `has_key`: the client fetches the self link as it stands, so it has the caller's key.
    """

    http: HTTPStatus = HTTPStatus.CREATED
    status: str = STATUS_TEXTS[JobStatus.PENDING]
    names_type: bool = False
    has_key: bool = False


_PLAIN = CreateResponseSpec()

CREATED: dict[JobType, CreateResponseSpec] = {
    JobType.COMPLETE: _PLAIN,
    JobType.COMPLETE_STAGING: _PLAIN,
    JobType.INCREMENTAL: _PLAIN,
    JobType.INCREMENTAL_STAGING: _PLAIN,
    JobType.DOWNLOAD: _PLAIN,
    JobType.PUBLISH: CreateResponseSpec(HTTPStatus.ACCEPTED, "Accepted", names_type=True, has_key=True),
    JobType.ROLLBACK: CreateResponseSpec(names_type=True, has_key=True),
    JobType.ACCESS: CreateResponseSpec(status="Created"),
}


@dataclass(frozen=True, slots=True)
class CreatedJob:
    """A create answer: its HTTP status, its one resource, and the Location, which has neither query nor fragment."""

    http: HTTPStatus
    job: JobResource
    location: str


def create_response(record: JobRecord, base: str, key: bytes, *, public: bool | None = None) -> CreatedJob:
    """The answer that tells of a new job.

    `base` is the public URL, `key` the caller's own; `public` is what an access job sets.
    """
    shape, shown = CREATED[record.job_type], JOB_TYPES[record.job_type]
    is_by_name = shown.kind is StatusPath.DOWNLOAD and record.data_source_name is not None
    location = status_url(shown.kind, str(record.data_source_name) if is_by_name else record.public_id, base)
    job = JobResource(
        resource_type=shown.resource_type,
        id=record.public_id,
        links=(Link("self", f"{location}?key={quote_from_bytes(key, safe='')}" if shape.has_key else location),),
        status=shape.status,
        created=record.created,
        description=_description(record, shape, public=public),
        counts=EntityCounts(0, 0, 0) if shown.resource_type is ResourceType.DATAFLOW_JOB else None,
    )
    return CreatedJob(shape.http, job, location)


def _description(record: JobRecord, shape: CreateResponseSpec, *, public: bool | None) -> str | None:
    if shape.names_type:
        return record.job_type.value
    if public is not None:
        return f'Data source "{record.data_source_name}" set {"public" if public else "private"}'
    return record.description
