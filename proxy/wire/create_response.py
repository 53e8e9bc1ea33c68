"""The response to the creation of a job (the create pages of each job type)."""

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote_from_bytes

from adapters.model.jobs import JobRecord, JobStatus, JobType
from proxy.wire.job_resources import STATUS_TEXTS
from proxy.wire.job_types import JOB_TYPES, StatusPath
from proxy.wire.links import build_status_url
from proxy.wire.resources import EntityCounts, JobResource, Link, ResourceType


@dataclass(frozen=True, slots=True)
class CreateResponseSpec:
    """How the response to a creation differs from a status response.

    Args:
        http_status: some pages print 202.
        status: some pages print another word than Pending, in this response only.
        is_described_by_type: the client checks that the description is the job type.
        has_key_in_self_link: the client fetches the self link as it stands, without adding its key.
    """

    http_status: HTTPStatus = HTTPStatus.CREATED
    status: str = STATUS_TEXTS[JobStatus.PENDING]
    is_described_by_type: bool = False
    has_key_in_self_link: bool = False


# Of the job types whose pages differ from the default.
CREATE_RESPONSES: dict[JobType, CreateResponseSpec] = {
    JobType.PUBLISH: CreateResponseSpec(
        HTTPStatus.ACCEPTED, "Accepted", is_described_by_type=True, has_key_in_self_link=True
    ),
    JobType.ROLLBACK: CreateResponseSpec(is_described_by_type=True, has_key_in_self_link=True),
    JobType.ACCESS: CreateResponseSpec(status="Created"),
}


@dataclass(frozen=True, slots=True)
class CreatedJob:
    """A create response: its HTTP status, its one resource, and the Location, which has neither query nor fragment."""

    http_status: HTTPStatus
    job: JobResource
    location: str


def create_response(record: JobRecord, base: str, key: bytes, *, public: bool | None = None) -> CreatedJob:
    """Builds the response for a new job.

    Args:
        record: the job.
        base: the public URL.
        key: the caller's own key.
        public: what an access job sets; None for any other job.
    """
    spec, shown = CREATE_RESPONSES.get(record.job_type, CreateResponseSpec()), JOB_TYPES[record.job_type]
    name = record.data_source_name if shown.status_path is StatusPath.DOWNLOAD else None
    location = build_status_url(shown.status_path, name or record.public_id, base)
    self_link = f"{location}?key={quote_from_bytes(key, safe='')}" if spec.has_key_in_self_link else location
    description = record.description
    if spec.is_described_by_type:
        description = record.job_type.value
    elif public is not None:
        description = f'Data source "{record.data_source_name}" set {"public" if public else "private"}'
    job = JobResource(
        resource_type=shown.resource_type,
        id=record.public_id,
        links=(Link("self", self_link),),
        status=spec.status,
        created=record.created,
        description=description,
        counts=EntityCounts(0, 0, 0) if shown.resource_type is ResourceType.DATAFLOW_JOB else None,
    )
    return CreatedJob(spec.http_status, job, location)
