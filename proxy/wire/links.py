"""The links of a job (wire-contract.md, sections 3 and 4)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from adapters.model.jobs import BlobPath, JobRecord, JobStatus
from proxy.wire.job_types import JOB_TYPES, DataSourceLinkPolicy, StatusPath
from proxy.wire.resources import Link

# RFC 3986 allows these in a path segment.
_SEGMENT_SAFE = "~!$&'()*+,;=:@"

OUTPUT_PLACEHOLDER = "{output}"
"""Stands for `succeeded` or `failed` in a signed link's suffix."""

LinkSigner = Callable[[BlobPath], str]
"""Turns a blob into a URL that reads it."""


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """How links are built.

    Args:
        base: the public URL, without a slash at its end.
        roles: the spellings of a load's data source link.
        suffix: the end of a signed link, with OUTPUT_PLACEHOLDER for the output's name.
        sign: makes signed links; None where output links stay on the proxy.
    """

    base: str
    roles: tuple[str, ...]
    suffix: str
    sign: LinkSigner | None


class OutputName:
    """The names of the two outputs, in links and in URLs."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"


def list_outputs(record: JobRecord) -> dict[str, BlobPath]:
    """A job's outputs by name. Its links offer exactly these, and its output URLs serve exactly these."""
    outputs = {}
    if record.status is JobStatus.COMPLETED and record.output_blob:
        outputs[OutputName.SUCCEEDED] = record.output_blob
    if record.failed_blob:
        outputs[OutputName.FAILED] = record.failed_blob
    return outputs


def build_status_links(record: JobRecord, reference: str, options: LinkOptions) -> tuple[Link, ...]:
    """The links of a status response. `reference` is the id in the self link, or a download's data source name."""
    path = JOB_TYPES[record.job_type].status_path
    # A publish, delete or access job has no output URL at its own path.
    output_path = (StatusPath.LISTED, record.public_id) if path is StatusPath.SERVICE else (path, reference)
    return (
        Link("self", build_status_url(path, reference, options.base)),
        *_build_output_links(record, *output_path, options),
        *_build_data_source_links(record, options, in_list=False),
    )


def build_list_links(record: JobRecord, options: LinkOptions) -> tuple[Link, ...]:
    """The links of a job in the job list."""
    spec = JOB_TYPES[record.job_type]
    if not spec.links_in_list:
        return tuple(_build_data_source_links(record, options, in_list=True))
    return (
        Link("self", build_status_url(spec.status_path, record.public_id, options.base)),
        *_build_output_links(record, StatusPath.LISTED, record.public_id, options),
    )


def build_status_url(path: StatusPath, reference: str, base: str) -> str:
    """A job's status URL, in its documented casing."""
    tail = "/$getstatus" if path is StatusPath.SERVICE else ""
    return f"{base}/REST/v1/{path.value}/{quote_segment(reference)}{tail}"


def quote_segment(text: str) -> str:
    """Percent-encodes a text as one segment of a path."""
    return quote(text, safe=_SEGMENT_SAFE, errors="replace")


def _build_output_links(record: JobRecord, path: StatusPath, reference: str, options: LinkOptions) -> Iterator[Link]:
    for name, blob in list_outputs(record).items():
        url = f"{build_status_url(path, reference, options.base)}/output/{name}"
        if options.sign is not None:
            url = options.sign(blob) + options.suffix.replace(OUTPUT_PLACEHOLDER, name)
        yield Link("output", url, name)


def _build_data_source_links(record: JobRecord, options: LinkOptions, *, in_list: bool) -> Iterator[Link]:
    policy = JOB_TYPES[record.job_type].data_source_link
    if policy is DataSourceLinkPolicy.NEVER or (in_list and policy is DataSourceLinkPolicy.ON_STATUS):
        return
    if record.status is not JobStatus.COMPLETED or not record.access_id or not record.data_source_name:
        return
    url = f"{options.base}/REST/v1/data/{quote_segment(record.access_id)}/{quote_segment(record.data_source_name)}"
    for role in options.roles if policy is DataSourceLinkPolicy.ON_STATUS else ("dataSource",):
        yield Link(role, url, "service")
