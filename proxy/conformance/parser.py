"""Parses both formats from any endpoint; bytes that are no envelope give None.

XML is read as a stream, so that a list of 12,000 jobs fits into memory.
"""

from collections.abc import Iterator
from io import BytesIO
from sys import intern
from typing import Any

from lxml import etree

from proxy.comparison.documents import BOM, is_huge, read_json
from proxy.conformance.contract import BING, JSON, XML
from proxy.conformance.exchange import Exchange
from proxy.conformance.parsed import ParsedEnvelope, ParsedJob, ParsedLink, ParsedResourceSet, XmlForm

MAX_JOBS = 25_000

_RESOURCES = tuple(f"{{{BING}}}{name}" for name in ("ResourceSets", "ResourceSet", "Resources"))
_SET_DEPTH, _JOB_DEPTH = 2, 4  # the elements around a resource set and a job
_NUMBERS = frozenset(("statusCode", "estimatedTotal", "totalEntityCount", "processedEntityCount", "failedEntityCount"))


def parse(exchange: Exchange) -> ParsedEnvelope | None:
    """The envelope of an answer; None if it has none in either format, or one with an absurd number of parts."""
    body = exchange.body
    if is_huge(body):
        return None
    beginning = body.removeprefix(BOM).lstrip()[:1]
    read = {b"{": _parse_json, b"<": _parse_xml}.get(beginning)
    try:
        envelope = read(exchange) if read else None
    except (ValueError, RecursionError, etree.LxmlError):
        return None
    return envelope if envelope and len(envelope.jobs) <= MAX_JOBS else None


def _parse_json(exchange: Exchange) -> ParsedEnvelope:
    found = read_json(exchange.body)
    details = found.get("errorDetails")
    return ParsedEnvelope(
        exchange,
        JSON,
        tuple(found),
        found,
        (tuple(details) if isinstance(details, list) else (details,)) if "errorDetails" in found else None,
        tuple(
            ParsedResourceSet(
                tuple(each),
                each.get("estimatedTotal"),
                tuple(_json_job(exchange, job) for job in _objects(each, "resources")),
            )
            for each in _objects(found, "resourceSets")
        ),
    )


def _objects(parent: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    value = parent.get(name)
    return (each for each in value if isinstance(each, dict)) if isinstance(value, list) else iter(())


def _json_job(exchange: Exchange, job: dict[str, Any]) -> ParsedJob:
    type_text = job["__type"] if isinstance(job.get("__type"), str) else ""
    links = tuple(
        ParsedLink(
            exchange,
            str(link.get("role")),
            str(link["name"]) if "name" in link else None,
            str(link.get("url")),
            tuple(link),
        )
        for link in _objects(job, "links")
    )
    order = tuple(job)
    if "links" in job:  # drop the second copy
        job["links"] = len(links)
    return ParsedJob(exchange, type_text.partition(":")[0], type_text, order, job, links)


def _parse_xml(exchange: Exchange) -> ParsedEnvelope | None:
    sets, jobs, empty_dates = list[ParsedResourceSet](), list[ParsedJob](), list[Any]()
    prefixed = foreign = ""
    root: etree._Element | None = None
    for element, parents in _elements(exchange.body):
        root = parents[0] if parents else element
        name = etree.QName(element)
        if element.prefix is not None:
            prefixed = prefixed or f"{name.text}, prefix {element.prefix}"
        elif name.namespace != BING:
            foreign = foreign or f"{name.text}, prefix None"
        if name.localname == "CompletedDate" and not element.text:
            empty_dates.append(tuple((str(key), str(value)) for key, value in element.items()))
        around = tuple(each.tag for each in parents[1:])
        if len(parents) == _JOB_DEPTH and around == _RESOURCES and name.namespace == BING:
            jobs.append(_xml_job(exchange, element))
            if len(jobs) > MAX_JOBS:
                return None
        elif len(parents) == _SET_DEPTH and (*around, element.tag) == _RESOURCES[:_SET_DEPTH]:
            names = tuple(each for each, _ in _children(element))
            total = element.find(f"{{{BING}}}EstimatedTotal")
            sets.append(
                ParsedResourceSet(names, None if total is None else _value("estimatedTotal", total), tuple(jobs))
            )
            jobs = []
    if root is None or etree.QName(root).localname != "Response":
        return None
    children = _children(root)
    details = root.find(f"{{{BING}}}ErrorDetails")
    texts = [] if details is None else _children(details)
    declared = {name: root.nsmap.get(name) for name in ("xsi", "xsd")}
    return ParsedEnvelope(
        exchange,
        XML,
        tuple(name for name, _ in children),
        {_member(name): _value(_member(name), child) for name, child in children},
        None if details is None else tuple(child.text or "" for _, child in texts),
        tuple(sets),
        XmlForm(str(root.tag), declared, prefixed or foreign, tuple(name for name, _ in texts), tuple(empty_dates)),
    )


def _elements(body: bytes) -> Iterator[tuple[etree._Element, list[etree._Element]]]:
    """Each element at its end, with the elements around it; without entities, DTDs and network. Jobs are then freed.

    Raises:
        ValueError: the document has a document type.
        etree.LxmlError: the body is no XML.
    """
    source = BytesIO(body.removeprefix(BOM).lstrip())
    options: dict[str, Any] = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}
    parents: list[etree._Element] = []
    for event, element in etree.iterparse(source, ("start", "end"), **options):
        if event == "start":
            if not parents and element.getroottree().docinfo.doctype:
                raise ValueError("a document type")
            parents.append(element)
            continue
        parents.pop()
        yield element, parents
        if len(parents) == _JOB_DEPTH:
            element.clear()
            while element.getprevious() is not None:
                del parents[-1][0]


def _xml_job(exchange: Exchange, element: etree._Element) -> ParsedJob:
    children = _children(element)
    links = tuple(
        ParsedLink(
            exchange,
            link.get("role", ""),
            link.get("name"),
            link.text or "",
            tuple(intern(str(key)) for key in link.attrib),
        )
        for name, link in children
        if name == "Link"
    )
    values = {
        _member(name): _value(_member(name), child)
        for name, child in children
        if child.text is not None and name != "Link"
    }
    resource_type, order = etree.QName(element).localname, tuple(name for name, _ in children)
    empty = tuple(name for name, child in children if not child.text)
    return ParsedJob(exchange, resource_type, resource_type, order, values, links, empty)


def _children(element: etree._Element) -> list[tuple[str, etree._Element]]:
    return [(intern(etree.QName(child).localname), child) for child in element.iterchildren("*")]


def _member(name: str) -> str:
    return intern(name[:1].lower() + name[1:])


def _value(name: str, element: etree._Element) -> object:
    text = element.text or ""
    return int(text) if name in _NUMBERS and text.isascii() and text.lstrip("-").isdigit() else text
