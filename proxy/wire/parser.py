"""Reads answers, ours and those saved from the real service, in both formats."""

import json
from collections.abc import Iterator
from typing import Any

from lxml import etree

from adapters.model.ticks import parse as parse_iso8601
from proxy.wire.dates import parse_rfc1123
from proxy.wire.envelope import Authentication, Envelope
from proxy.wire.resources import EntityCounts, JobResource, Link, ResourceType


class ParseError(Exception):
    """The bytes are no answer of the service; the text says what is wrong."""


def parse_answer(content: bytes) -> Envelope:
    """Reads an answer in either format, also as a Windows shell saves it (UTF-16, or with a BOM).

    Raises:
        ParseError: the bytes are no answer.
    """
    try:
        text = content.decode(json.detect_encoding(content)).lstrip("\ufeff").strip()
    except UnicodeDecodeError as error:
        raise ParseError("not a text in UTF-8 or UTF-16") from error
    return parse_xml(text) if text.startswith("<") else parse_json(text)


def parse_json(text: str) -> Envelope:
    """Reads a JSON answer.

    Raises:
        ParseError: the text is no answer.
    """
    try:
        members = json.loads(text)
        sets = members["resourceSets"]
        resources = tuple(_json_job(job) for each in sets for job in each["resources"]) if sets else None
        return Envelope(
            status_code=int(members.get("statusCode", 0)),
            status_description=str(members.get("statusDescription", "")),
            authentication=Authentication(members.get("authenticationResultCode", "None")),
            copyright=str(members.get("copyright", "")),
            brand_logo_uri=str(members.get("brandLogoUri", "")),
            trace_id=str(members.get("traceId", "")),
            resources=resources,
            error_details=tuple(members.get("errorDetails") or ()),
        )
    except json.JSONDecodeError as error:
        raise ParseError(f"not a job answer in JSON: {error}") from error
    except KeyError as error:
        raise ParseError(f"not a job answer in JSON: {error} is missing") from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ParseError("not a job answer in JSON: a member is not of its type") from error


def parse_xml(text: str) -> Envelope:
    """Reads an XML answer; the namespaces are not looked at, the documents print wrong ones.

    Raises:
        ParseError: the text is no answer.
    """
    # The text is decoded already, so what its declaration says of an encoding is not true any more.
    body = text.partition("?>")[2] if text.startswith("<?xml") else text
    # No entity, no network: the file may come from anywhere.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        root = etree.fromstring(body.strip().encode(), parser)
        if root.getroottree().docinfo.doctype:
            raise ParseError("not a job answer in XML: it has a document type")
        members = _children(root)
        sets = list(members["ResourceSets"])
        resources = tuple(_xml_job(job) for each in sets for job in _children(each)["Resources"]) if sets else None
        return Envelope(
            status_code=int(_text(members, "StatusCode") or 0),
            status_description=_text(members, "StatusDescription") or "",
            authentication=Authentication(_text(members, "AuthenticationResultCode") or "None"),
            copyright=_text(members, "Copyright") or "",
            brand_logo_uri=_text(members, "BrandLogoUri") or "",
            trace_id=_text(members, "TraceId") or "",
            resources=resources,
            error_details=tuple(each.text or "" for each in members.get("ErrorDetails", ())),
        )
    except etree.XMLSyntaxError as error:
        raise ParseError(f"not a job answer in XML: {error}") from error
    except KeyError as error:
        raise ParseError(f"not a job answer in XML: {error} is missing") from error
    except ValueError as error:
        raise ParseError("not a job answer in XML: an element is not of its type") from error


def _json_job(job: dict[str, Any]) -> JobResource:
    completed = job.get("completedDate")
    counts = [job.get(name) for name in ("totalEntityCount", "processedEntityCount", "failedEntityCount")]
    return JobResource(
        resource_type=ResourceType(str(job["__type"]).partition(":")[0]),
        id=str(job["id"]),
        links=tuple(Link(link["role"], link["url"], link.get("name")) for link in job.get("links") or ()),
        name=job.get("name"),
        status=str(job["status"]),
        created=parse_rfc1123(job["createdDate"]),
        completed=parse_rfc1123(completed) if completed else None,
        description=job.get("description"),
        error_message=job.get("errorMessage"),
        counts=None if counts == [None] * 3 else EntityCounts(*(int(count or 0) for count in counts)),
    )


def _xml_job(job: etree._Element) -> JobResource:
    members = _children(job)
    completed = _text(members, "CompletedDate")
    counts = [_text(members, name) for name in ("TotalEntityCount", "ProcessedEntityCount", "FailedEntityCount")]
    return JobResource(
        resource_type=ResourceType(etree.QName(job).localname),
        id=_text(members, "Id") or "",
        links=tuple(_xml_links(job)),
        name=_text(members, "Name"),
        status=_text(members, "Status") or "",
        created=parse_iso8601(_text(members, "CreatedDate") or ""),
        completed=parse_iso8601(completed) if completed else None,
        description=_text(members, "Description"),
        error_message=_text(members, "ErrorMessage"),
        counts=None if counts == [None] * 3 else EntityCounts(*(int(count or 0) for count in counts)),
    )


def _xml_links(job: etree._Element) -> Iterator[Link]:
    for child in job:
        if etree.QName(child).localname == "Link":
            yield Link(child.get("role", ""), child.text or "", child.get("name"))


def _children(element: etree._Element) -> dict[str, etree._Element]:
    return {etree.QName(child).localname: child for child in element}


def _text(members: dict[str, etree._Element], name: str) -> str | None:
    return members[name].text if name in members else None
