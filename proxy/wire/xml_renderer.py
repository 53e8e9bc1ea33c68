"""Renders XML to the byte, elements in the order of this module (wire-contract.md, sections 2 and 3)."""

from collections.abc import Iterator
from datetime import tzinfo

from proxy.text import strip_invalid_xml
from proxy.wire.dates import format_iso8601
from proxy.wire.envelope import Envelope
from proxy.wire.namespaces import BING, XSD, XSI
from proxy.wire.resources import JobResource, Link

INDENT = "  "
_JOB_INDENT = INDENT * 5

# As .NET's writer does: a quote is only escaped in an attribute.
_IN_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"})
_IN_ATTRIBUTE = _IN_TEXT | str.maketrans({'"': "&quot;", "\n": "&#xA;", "\t": "&#x9;"})


def render_xml(envelope: Envelope, zone: tzinfo) -> bytes:
    """The envelope as indented UTF-8 XML with a declaration and without a BOM; dates have the zone's offset.

    The white space is part of the contract: a client's reader skips the element after a `</Link>` that no white space
    follows.
    """
    return "\n".join(_render_document(envelope, zone)).encode()


def _render_document(envelope: Envelope, zone: tzinfo) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield f'<Response xmlns:xsi="{XSI}" xmlns:xsd="{XSD}" xmlns="{BING}">'
    yield _render_element(INDENT, "Copyright", envelope.copyright)
    yield _render_element(INDENT, "BrandLogoUri", envelope.brand_logo_uri)
    yield _render_element(INDENT, "StatusCode", str(envelope.status_code))
    yield _render_element(INDENT, "StatusDescription", envelope.status_description)
    yield _render_element(INDENT, "AuthenticationResultCode", envelope.authentication.value)
    if envelope.error_details:
        yield INDENT + "<ErrorDetails>"
        yield from (_render_element(INDENT * 2, "string", text) for text in envelope.error_details)
        yield INDENT + "</ErrorDetails>"
    yield _render_element(INDENT, "TraceId", envelope.trace_id)
    yield from _render_resource_sets(envelope.resources, zone)
    yield "</Response>"


def _render_resource_sets(jobs: tuple[JobResource, ...] | None, zone: tzinfo) -> Iterator[str]:
    if jobs is None:
        yield INDENT + "<ResourceSets />"
        return
    yield INDENT + "<ResourceSets>"
    yield INDENT * 2 + "<ResourceSet>"
    yield _render_element(INDENT * 3, "EstimatedTotal", str(len(jobs)))
    if jobs:
        yield INDENT * 3 + "<Resources>"
        for job in jobs:
            yield from _render_job(job, zone)
        yield INDENT * 3 + "</Resources>"
    else:
        yield INDENT * 3 + "<Resources />"
    yield INDENT * 2 + "</ResourceSet>"
    yield INDENT + "</ResourceSets>"


def _render_job(job: JobResource, zone: tzinfo) -> Iterator[str]:
    yield f"{INDENT * 4}<{job.resource_type}>"
    yield from _render_optional("Name", job.name)
    yield _render_element(_JOB_INDENT, "Id", job.id)
    # Every link comes before the status: a documented sample stops reading there.
    yield from map(_render_link, job.links)
    yield from _render_optional("Description", job.description)
    yield _render_element(_JOB_INDENT, "Status", job.status)
    yield f"{_JOB_INDENT}<CreatedDate>{format_iso8601(job.created, zone)}</CreatedDate>"
    if job.completed is None:
        yield f'{_JOB_INDENT}<CompletedDate xsi:nil="true" />'
    else:
        yield f"{_JOB_INDENT}<CompletedDate>{format_iso8601(job.completed, zone)}</CompletedDate>"
    if job.counts is not None:
        yield f"{_JOB_INDENT}<TotalEntityCount>{job.counts.total}</TotalEntityCount>"
        yield f"{_JOB_INDENT}<ProcessedEntityCount>{job.counts.processed}</ProcessedEntityCount>"
        yield f"{_JOB_INDENT}<FailedEntityCount>{job.counts.failed}</FailedEntityCount>"
    yield from _render_optional("ErrorMessage", job.error_message)
    yield f"{INDENT * 4}</{job.resource_type}>"


def _render_link(link: Link) -> str:
    # The role comes before the name: the documented sample reads attributes by position.
    name = "" if link.name is None else f' name="{escape_attribute(link.name)}"'
    return f'{_JOB_INDENT}<Link role="{escape_attribute(link.role)}"{name}>{escape_text(link.url)}</Link>'


def _render_optional(name: str, text: str | None) -> Iterator[str]:
    if text is not None:
        yield _render_element(_JOB_INDENT, name, text)


def _render_element(indent: str, name: str, text: str) -> str:
    return f"{indent}<{name}>{escape_text(text)}</{name}>"


def escape_text(text: str) -> str:
    """Escapes the content of an element."""
    if text.isascii() and text.isprintable() and not ("&" in text or "<" in text or ">" in text):
        return text
    return strip_invalid_xml(text).translate(_IN_TEXT)


def escape_attribute(text: str) -> str:
    """Escapes a text between the quotes of an attribute."""
    return strip_invalid_xml(text).translate(_IN_ATTRIBUTE)
