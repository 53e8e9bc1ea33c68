"""XML, to the byte. The order of elements is the order in which they stand here (wire contract, sections 2 and 3)."""

from collections.abc import Iterator
from datetime import tzinfo

from proxy.text import strip_invalid_xml
from proxy.wire.dates import iso8601
from proxy.wire.envelope import Envelope
from proxy.wire.namespaces import BING, XSD, XSI
from proxy.wire.resources import JobResource, Link, ResourceType

INDENT = "  "

# As .NET's writer does: a quote is only escaped in an attribute.
_IN_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"})
_IN_ATTRIBUTE = _IN_TEXT | str.maketrans({'"': "&quot;", "\n": "&#xA;", "\t": "&#x9;"})


def render_xml(envelope: Envelope, zone: tzinfo) -> bytes:
    """The envelope as indented UTF-8 XML with a declaration and without a BOM; dates have the zone's offset.

    The white space is part of the contract: a client's reader skips the element after a `</Link>` that no white space
    follows.
    """
    return "\n".join(_document(envelope, zone)).encode()


def _document(envelope: Envelope, zone: tzinfo) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield f'<Response xmlns:xsi="{XSI}" xmlns:xsd="{XSD}" xmlns="{BING}">'
    yield _element(1, "Copyright", envelope.copyright)
    yield _element(1, "BrandLogoUri", envelope.brand_logo_uri)
    yield _element(1, "StatusCode", str(envelope.status_code))
    yield _element(1, "StatusDescription", envelope.status_description)
    yield _element(1, "AuthenticationResultCode", envelope.authentication.value)
    if envelope.error_details:
        yield INDENT + "<ErrorDetails>"
        yield from (_element(2, "string", text) for text in envelope.error_details)
        yield INDENT + "</ErrorDetails>"
    yield _element(1, "TraceId", envelope.trace_id)
    yield from _resource_sets(envelope.resources, zone)
    yield "</Response>"


def _resource_sets(jobs: tuple[JobResource, ...] | None, zone: tzinfo) -> Iterator[str]:
    if jobs is None:
        yield INDENT + "<ResourceSets />"
        return
    yield INDENT + "<ResourceSets>"
    yield INDENT * 2 + "<ResourceSet>"
    yield _element(3, "EstimatedTotal", str(len(jobs)))
    if jobs:
        yield INDENT * 3 + "<Resources>"
        for job in jobs:
            yield from _job(job, zone)
        yield INDENT * 3 + "</Resources>"
    else:
        yield INDENT * 3 + "<Resources />"
    yield INDENT * 2 + "</ResourceSet>"
    yield INDENT + "</ResourceSets>"


def _job(job: JobResource, zone: tzinfo) -> Iterator[str]:
    yield f"{INDENT * 4}<{job.resource_type}>"
    yield from _optional("Name", job.name)
    yield _member("Id", job.id)
    # Every link comes before the status: a documented sample stops reading there.
    for link in job.links:
        yield _link(link)
    yield from _optional("Description", job.description)
    yield _member("Status", job.status)
    yield _plain("CreatedDate", iso8601(job.created, zone))
    if job.completed is None:
        yield INDENT * 5 + '<CompletedDate xsi:nil="true" />'
    else:
        yield _plain("CompletedDate", iso8601(job.completed, zone))
    if job.counts is not None and job.resource_type is ResourceType.DATAFLOW_JOB:
        yield _plain("TotalEntityCount", job.counts.total)
        yield _plain("ProcessedEntityCount", job.counts.processed)
        yield _plain("FailedEntityCount", job.counts.failed)
    yield from _optional("ErrorMessage", job.error_message)
    yield f"{INDENT * 4}</{job.resource_type}>"


def _link(link: Link) -> str:
    # The role comes before the name: the documented sample reads attributes by position.
    name = "" if link.name is None else f' name="{escaped_attribute(link.name)}"'
    return f'{INDENT * 5}<Link role="{escaped_attribute(link.role)}"{name}>{escaped(link.url)}</Link>'


def _optional(name: str, text: str | None) -> Iterator[str]:
    if text is not None:
        yield _member(name, text)


def _member(name: str, text: str) -> str:
    return f"          <{name}>{escaped(text)}</{name}>"


def _plain(name: str, value: str | int) -> str:
    """A member of a job whose text has nothing to escape."""
    return f"          <{name}>{value}</{name}>"


def _element(depth: int, name: str, text: str) -> str:
    return f"{INDENT * depth}<{name}>{escaped(text)}</{name}>"


def escaped(text: str) -> str:
    """A text as an element's content."""
    if text.isascii() and text.isprintable() and not ("&" in text or "<" in text or ">" in text):
        return text
    return strip_invalid_xml(text).translate(_IN_TEXT)


def escaped_attribute(text: str) -> str:
    """A text between the quotes of an attribute."""
    return strip_invalid_xml(text).translate(_IN_ATTRIBUTE)
