"""Turns a stored record into the resource that a response shows (wire-contract.md, section 3)."""

from collections.abc import Iterable

from adapters.model.jobs import JobRecord, JobStatus
from proxy.wire.job_types import JOB_TYPES
from proxy.wire.links import LinkOptions, build_list_links, build_status_links
from proxy.wire.request import Format
from proxy.wire.resources import INT32_MAX, EntityCounts, JobResource, Link, ResourceType

# The three words that clients know. They poll while it is exactly the first.
STATUS_TEXTS = {JobStatus.PENDING: "Pending", JobStatus.COMPLETED: "Completed", JobStatus.ABORTED: "Aborted"}

ABORTED_WITHOUT_MESSAGE = "The job was aborted."


def job_status_resource(
    record: JobRecord, reference: str, options: LinkOptions, response_format: Format
) -> JobResource:
    """The job of a status response. `reference` is what its self link names it by."""
    # The shipped .NET client ignores any other type in a JSON status response.
    is_json = response_format is Format.JSON
    resource_type = ResourceType.DATAFLOW_JOB if is_json else JOB_TYPES[record.job_type].resource_type
    links = build_status_links(record, reference, options)
    return _build_resource(record, resource_type, links, None, record.description)


def job_list_resources(records: Iterable[JobRecord], options: LinkOptions) -> tuple[JobResource, ...]:
    """The jobs of a job list in its order: pending first, then the rest, each newest first; no download jobs."""
    listed = [record for record in records if JOB_TYPES[record.job_type].in_list]
    listed.sort(key=lambda record: (record.created, record.row_key), reverse=True)
    listed.sort(key=lambda record: record.status is not JobStatus.PENDING)
    return tuple(_build_list_entry(record, options) for record in listed)


def error_message(record: JobRecord) -> str | None:
    """Why an Aborted job ended: the stored message, or a stock text."""
    return (record.error_message or ABORTED_WITHOUT_MESSAGE) if record.status is JobStatus.ABORTED else None


def _build_list_entry(record: JobRecord, options: LinkOptions) -> JobResource:
    spec = JOB_TYPES[record.job_type]
    name = record.data_source_name if spec.has_name else None
    return _build_resource(record, spec.resource_type, build_list_links(record, options), name, record.job_type.value)


def _build_resource(
    record: JobRecord, resource_type: ResourceType, links: tuple[Link, ...], name: str | None, description: str | None
) -> JobResource:
    counts = (min(count, INT32_MAX) for count in (record.total, record.processed, record.failed))
    return JobResource(
        resource_type=resource_type,
        id=record.public_id,
        links=links,
        name=name,
        status=STATUS_TEXTS[record.status],
        created=record.created,
        # The documents: while a job is pending the date is not shown.
        completed=None if record.status is JobStatus.PENDING else record.completed,
        description=description,
        error_message=error_message(record),
        counts=EntityCounts(*counts) if resource_type is ResourceType.DATAFLOW_JOB else None,
    )
