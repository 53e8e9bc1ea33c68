"""Parses responses in both formats: this endpoint's, and those saved from Bing."""

import json
from collections.abc import Callable
from typing import Any

from lxml import etree

from adapters.model.ticks import Ticks
from adapters.model.ticks import parse_ticks as parse_iso8601
from proxy.wire.dates import parse_rfc1123
from proxy.wire.envelope import Authentication, Envelope
from proxy.wire.resources import EntityCounts, JobResource, Link, ResourceType

ParseDate = Callable[[str], Ticks]


class ParseError(Exception):
    """The bytes are no response of the service; the text says what is wrong."""


def parse_response(content: bytes) -> Envelope:
    """Parses a response in either format, also as a Windows shell saves it (UTF-16, or with a BOM).

    Raises:
        ParseError: the bytes are no response.
    """
    try:
        text = content.decode(json.detect_encoding(content)).lstrip("\ufeff").strip()
    except UnicodeDecodeError as error:
        raise ParseError("not a text in UTF-8 or UTF-16") from error
    return parse_xml(text) if text.startswith("<") else parse_json(text)


def parse_json(text: str) -> Envelope:
    """Parses a JSON response.

    Raises:
        ParseError: the text is no response.
    """
    try:
        return _parse_envelope(json.loads(text), parse_rfc1123)
    except json.JSONDecodeError as error:
        raise ParseError(f"not a job answer in JSON: {error}") from error
    except KeyError as error:
        raise ParseError(f"not a job answer in JSON: {error} is missing") from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ParseError("not a job answer in JSON: a member is not of its type") from error


def parse_xml(text: str) -> Envelope:
    """Parses an XML response. Namespaces do not count: the documents print wrong ones.

    Raises:
        ParseError: the text is no response.
    """
    # The text is decoded, so the encoding that its declaration names no longer applies.
    body = text.partition("?>")[2] if text.startswith("<?xml") else text
    # No entity, no network: the file may come from anywhere.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        root = etree.fromstring(body.strip().encode(), parser)
        if root.getroottree().docinfo.doctype:
            raise ParseError("not a job answer in XML: it has a document type")
        members = _read_members(root)
        members["errorDetails"] = [each.text or "" for each in members.get("errorDetails", ())]
        members["resourceSets"] = [
            {"resources": [_read_job(job) for job in _read_members(each)["resources"]]}
            for each in members["resourceSets"]
        ]
        return _parse_envelope(_read_texts(members), parse_iso8601)
    except etree.XMLSyntaxError as error:
        raise ParseError(f"not a job answer in XML: {error}") from error
    except KeyError as error:
        raise ParseError(f"not a job answer in XML: {error} is missing") from error
    except (ValueError, TypeError) as error:
        raise ParseError("not a job answer in XML: an element is not of its type") from error


def _parse_envelope(members: dict[str, Any], parse_date: ParseDate) -> Envelope:
    sets = members["resourceSets"]
    return Envelope(
        status_code=int(members.get("statusCode") or 0),
        status_description=str(members.get("statusDescription") or ""),
        authentication=Authentication(members.get("authenticationResultCode") or "None"),
        copyright=str(members.get("copyright") or ""),
        brand_logo_uri=str(members.get("brandLogoUri") or ""),
        trace_id=str(members.get("traceId") or ""),
        resources=tuple(_parse_job(job, parse_date) for each in sets for job in each["resources"]) if sets else None,
        error_details=tuple(members.get("errorDetails") or ()),
    )


def _parse_job(job: dict[str, Any], parse_date: ParseDate) -> JobResource:
    completed = job.get("completedDate")
    counts = [job.get(name) for name in ("totalEntityCount", "processedEntityCount", "failedEntityCount")]
    return JobResource(
        resource_type=ResourceType(str(job["__type"]).partition(":")[0]),
        id=str(job["id"]),
        links=tuple(Link(link["role"], link["url"], link.get("name")) for link in job.get("links") or ()),
        name=job.get("name"),
        status=str(job["status"]),
        created=parse_date(job["createdDate"]),
        completed=parse_date(completed) if completed else None,
        description=job.get("description"),
        error_message=job.get("errorMessage"),
        counts=None if counts == [None] * 3 else EntityCounts(*(int(count or 0) for count in counts)),
    )


def _read_job(job: etree._Element) -> dict[str, Any]:
    links = [
        {"role": each.get("role", ""), "url": each.text or "", "name": each.get("name")}
        for each in job
        if etree.QName(each).localname == "Link"
    ]
    texts = {"id": "", "status": "", "createdDate": ""} | _read_texts(_read_members(job))
    return texts | {"__type": etree.QName(job).localname, "links": links}


def _read_members(element: etree._Element) -> dict[str, Any]:
    """The children by their names in JSON: `StatusCode` is `statusCode` there."""
    names = [(etree.QName(child).localname, child) for child in element]
    return {name[:1].lower() + name[1:]: child for name, child in names}


def _read_texts(members: dict[str, Any]) -> dict[str, Any]:
    texts = {name: each.text if etree.iselement(each) else each for name, each in members.items()}
    return {name: text for name, text in texts.items() if text is not None}
