"""The links of a job (wire contract, sections 3 and 4)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from adapters.model.jobs import BlobPath, JobRecord, JobStatus
from proxy.wire.job_types import JOB_TYPES, DataSourceLinkPolicy, StatusPath
from proxy.wire.resources import Link

# RFC 3986 lets these stand in a path segment as they are.
_SEGMENT_SAFE = "~!$&'()*+,;=:@"

PLACE_OF_OUTPUT = "{output}"
"""What stands for `succeeded` or `failed` in a signed link's suffix."""

LinkSigner = Callable[[BlobPath], str]
"""Turns a blob into a URL that reads it."""


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """What links look like.

    `base` is the public URL without a slash at its end. `sign` is None where output links stay on the proxy; the
    suffix is what a signed link ends in, `{output}` in it being the output's name. `roles` are the spellings of a
    load's data source link.
    """

    base: str
    roles: tuple[str, ...]
    suffix: str
    sign: LinkSigner | None


class OutputName:
    """The names of the two outputs, in links and in URLs."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"


def job_outputs(record: JobRecord) -> dict[str, BlobPath]:
    """The outputs that a job has, by name: what its links offer is what its output URLs answer."""
    found = {}
    if record.status is JobStatus.COMPLETED and record.output_blob:
        found[OutputName.SUCCEEDED] = record.output_blob
    if record.failed_blob:
        found[OutputName.FAILED] = record.failed_blob
    return found


def status_links(record: JobRecord, reference: str, style: LinkOptions) -> tuple[Link, ...]:
    """The links of a status answer; `reference` is the id, or a download's data source name, that leads back to it."""
    kind = JOB_TYPES[record.job_type].kind
    # A publish, delete or access job has no output URL of its own kind.
    output_kind, output_reference = (
        (StatusPath.LISTED, record.public_id) if kind is StatusPath.SERVICE else (kind, reference)
    )
    return (
        Link("self", status_url(kind, reference, style.base)),
        *_output_links(record, output_kind, output_reference, style),
        *_service_links(record, style, in_list=False),
    )


def list_links(record: JobRecord, style: LinkOptions) -> tuple[Link, ...]:
    """The links of a job in the job list."""
    shown = JOB_TYPES[record.job_type]
    if shown.links_in_list:
        return (
            Link("self", status_url(shown.kind, record.public_id, style.base)),
            *_output_links(record, StatusPath.LISTED, record.public_id, style),
        )
    return tuple(_service_links(record, style, in_list=True))


def status_url(kind: StatusPath, reference: str, base: str) -> str:
    """A job's status URL, in its documented casing."""
    tail = "/$getstatus" if kind is StatusPath.SERVICE else ""
    return f"{base}/REST/v1/{kind.value}/{segment(reference)}{tail}"


def segment(text: str) -> str:
    """A text as one segment of a path."""
    return quote(text, safe=_SEGMENT_SAFE, errors="replace")


def _output_links(record: JobRecord, kind: StatusPath, reference: str, style: LinkOptions) -> Iterator[Link]:
    for name, blob in job_outputs(record).items():
        url = f"{status_url(kind, reference, style.base)}/output/{name}"
        if style.sign is not None:
            url = style.sign(blob) + style.suffix.replace(PLACE_OF_OUTPUT, name)
        yield Link("output", url, name)


def _service_links(record: JobRecord, style: LinkOptions, *, in_list: bool) -> Iterator[Link]:
    when = JOB_TYPES[record.job_type].service_link
    if when is DataSourceLinkPolicy.NEVER or (in_list and when is DataSourceLinkPolicy.ON_STATUS):
        return
    if record.status is not JobStatus.COMPLETED or not record.access_id or not record.data_source_name:
        return
    url = f"{style.base}/REST/v1/data/{segment(record.access_id)}/{segment(record.data_source_name)}"
    for role in style.roles if when is DataSourceLinkPolicy.ON_STATUS else ("dataSource",):
        yield Link(role, url, "service")
