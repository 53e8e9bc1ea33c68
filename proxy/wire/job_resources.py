"""From a stored record to the resource that an answer shows (wire contract, section 3)."""

from collections.abc import Iterable

from adapters.model.jobs import JobRecord, JobStatus
from adapters.model.ticks import Ticks
from proxy.wire.job_types import JOB_TYPES
from proxy.wire.links import LinkOptions, list_links, status_links
from proxy.wire.request import Format
from proxy.wire.resources import INT32_MAX, EntityCounts, JobResource, ResourceType

# The three words that clients know. They poll while it is exactly the first.
STATUS_TEXTS = {
    JobStatus.PENDING: "Pending",
    JobStatus.COMPLETED: "Completed",
    JobStatus.ABORTED: "Aborted",
}

ABORTED_WITHOUT_MESSAGE = "The job was aborted."


def job_status_resource(record: JobRecord, reference: str, style: LinkOptions, answer: Format) -> JobResource:
    """The job of a status answer; `reference` is what its self link names it by."""
    resource_type = JOB_TYPES[record.job_type].resource_type
    if answer is Format.JSON:
        # The shipped .NET client ignores anything else on a status answer.
        resource_type = ResourceType.DATAFLOW_JOB
    return JobResource(
        resource_type=resource_type,
        id=record.public_id,
        links=status_links(record, reference, style),
        status=STATUS_TEXTS[record.status],
        created=record.created,
        completed=_completed(record),
        description=record.description,
        error_message=error_message(record),
        counts=_counts(record, resource_type),
    )


def job_list_resources(records: Iterable[JobRecord], style: LinkOptions) -> tuple[JobResource, ...]:
    """The jobs of a job list in its order: pending first, then the rest, each newest first; no download jobs."""
    shown = [record for record in records if JOB_TYPES[record.job_type].in_list]
    shown.sort(key=lambda record: (record.created, record.row_key), reverse=True)
    shown.sort(key=lambda record: record.status is not JobStatus.PENDING)
    return tuple(_list_entry(record, style) for record in shown)


def error_message(record: JobRecord) -> str | None:
    """What an Aborted job says of its end; a stock text where nothing is stored."""
    return (record.error_message or ABORTED_WITHOUT_MESSAGE) if record.status is JobStatus.ABORTED else None


def _list_entry(record: JobRecord, style: LinkOptions) -> JobResource:
    shown = JOB_TYPES[record.job_type]
    return JobResource(
        resource_type=shown.resource_type,
        id=record.public_id,
        links=list_links(record, style),
        name=record.data_source_name if shown.has_name else None,
        status=STATUS_TEXTS[record.status],
        created=record.created,
        completed=_completed(record),
        description=record.job_type.value,
        error_message=error_message(record),
        counts=_counts(record, shown.resource_type),
    )


def _completed(record: JobRecord) -> Ticks | None:
    # The documents: while a job is pending the date is not shown.
    return None if record.status is JobStatus.PENDING else record.completed


def _counts(record: JobRecord, resource_type: ResourceType) -> EntityCounts | None:
    if resource_type is ResourceType.DATA_SERVICE_JOB:
        return None
    return EntityCounts(min(record.total, INT32_MAX), min(record.processed, INT32_MAX), min(record.failed, INT32_MAX))
