"""Renders JSON to the byte, members in the order of this module (wire-contract.md, sections 2 and 3)."""

from typing import Any

import orjson

from proxy.text import strip_invalid_xml
from proxy.wire.dates import format_rfc1123
from proxy.wire.envelope import Envelope
from proxy.wire.namespaces import BING
from proxy.wire.resources import JobResource, Link, ResourceType


def render_json(envelope: Envelope) -> bytes:
    """The envelope as UTF-8 JSON without a BOM, every slash escaped as the .NET serializer does."""
    members = _present(
        {
            "authenticationResultCode": envelope.authentication.value,
            "brandLogoUri": strip_invalid_xml(envelope.brand_logo_uri),
            "copyright": strip_invalid_xml(envelope.copyright),
            "errorDetails": [strip_invalid_xml(text) for text in envelope.error_details] or None,
            "resourceSets": [] if envelope.resources is None else [_resource_set(envelope.resources)],
            "statusCode": envelope.status_code,
            "statusDescription": envelope.status_description,
            "traceId": envelope.trace_id,
        }
    )
    # JSON has no slash outside of strings, so all of them can be escaped at once.
    return orjson.dumps(members).replace(b"/", b"\\/")


def _resource_set(jobs: tuple[JobResource, ...]) -> dict[str, Any]:
    return {"estimatedTotal": len(jobs), "resources": [_job(job) for job in jobs]}


def _job(job: JobResource) -> dict[str, Any]:
    counts = job.counts
    return _present(
        {
            "__type": _TYPES[job.resource_type],
            "id": strip_invalid_xml(job.id),
            "links": [_link(link) for link in job.links] or None,
            "name": _text(job.name),
            "completedDate": None if job.completed is None else format_rfc1123(job.completed),
            "createdDate": format_rfc1123(job.created),
            "description": _text(job.description),
            "errorMessage": _text(job.error_message),
            "failedEntityCount": counts and counts.failed,
            "processedEntityCount": counts and counts.processed,
            "status": job.status,
            "totalEntityCount": counts and counts.total,
        }
    )


_TYPES = {resource_type: f"{resource_type}:{BING}" for resource_type in ResourceType}


def _link(link: Link) -> dict[str, Any]:
    return _present({"name": link.name, "role": link.role, "url": strip_invalid_xml(link.url)})


def _text(text: str | None) -> str | None:
    return None if text is None else strip_invalid_xml(text)


def _present(members: dict[str, Any]) -> dict[str, Any]:
    """Leaves out members without a value: a null count or link list makes a client throw."""
    return {name: value for name, value in members.items() if value is not None}
