"""Reads the two formats, from anybody: whatever the bytes, what can't be read is None.

A list of ten thousand jobs is read as a stream where that can be done, and what its jobs have in common is kept once.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any, NoReturn, TypeVar

from lxml import etree

from proxy.conformance.contract import BING
from proxy.conformance.exchange import Exchange
from proxy.conformance.parsed import ParsedEnvelope, ParsedJob, ParsedLink, ParsedResourceSet

# A list of 10,000 jobs has half of these; many more would take gigabytes, and minutes to judge.
MOST_PARTS = 600_000
MOST_JOBS = 25_000

# What is around a job in XML: Response, ResourceSets, ResourceSet, Resources.
JOB_DEPTH = 4
SET_DEPTH = 2
_RESOURCES = tuple(f"{{{BING}}}{name}" for name in ("ResourceSets", "ResourceSet", "Resources"))

_Value = TypeVar("_Value")

_NUMBERS = frozenset(("statusCode", "estimatedTotal", "totalEntityCount", "processedEntityCount", "failedEntityCount"))


def read(exchange: Exchange) -> ParsedEnvelope | None:
    """The envelope of an answer; None where it has none, in either format, or one of an absurd number of parts."""
    body = exchange.body
    if sum(body.count(each) for each in (b",", b"[", b"{", b"<")) > MOST_PARTS:
        return None
    beginning = body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    reader = {b"{": _json_envelope, b"<": _xml_envelope}.get(beginning)
    try:
        found = reader(exchange) if reader else None
    except (ValueError, RecursionError, etree.LxmlError):
        return None
    return found if found and len(found.jobs) <= MOST_JOBS else None


@dataclass(frozen=True, slots=True)
class XmlForm:
    """What the rules about XML alone look at.

    `odd` is the tag and the prefix of the first element with a prefix, else of the first in another namespace; `errors`
    the names of what each ErrorDetails holds; `empty_dates` the attributes of each CompletedDate without a date.
    """

    root: str
    declared: dict[str, str | None]
    odd: tuple[str, str | None] | None
    errors: tuple[tuple[str, ...], ...]
    empty_dates: tuple[dict[str, str], ...]


def read_xml_form(body: bytes) -> XmlForm:
    """The form of a body that is XML."""
    prefixed = foreign = None
    errors, dates = list[tuple[str, ...]](), list[dict[str, str]]()
    found = None
    for element, parents in _elements(body):
        found = element if not parents else parents[0]
        if element.prefix is not None:
            prefixed = prefixed or (str(element.tag), element.prefix)
        elif etree.QName(element).namespace != BING:
            foreign = foreign or (str(element.tag), None)
        name = etree.QName(element).localname
        if name == "ErrorDetails" and len(parents) == 1:
            errors.append(tuple(name for name, _ in _children(element)))
        elif name == "CompletedDate" and not element.text:
            dates.append({str(key): str(value) for key, value in element.attrib.items()})
    if found is None:
        raise ValueError("no XML")
    declared = {name: found.nsmap.get(name) for name in ("xsi", "xsd")}
    return XmlForm(str(found.tag), declared, prefixed or foreign, tuple(errors), tuple(dates))


def _elements(body: bytes) -> Iterator[tuple[etree._Element, list[etree._Element]]]:
    """Each element of an XML document when it has ended, with those around it; read without entities, DTDs and network.

    A job that has been looked at is let go.

    Raises:
        ValueError: there is a document type.
        etree.LxmlError: it is no XML.
    """
    source = BytesIO(body.removeprefix(b"\xef\xbb\xbf").lstrip())
    events = etree.iterparse(
        source, ("start", "end"), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    parents: list[etree._Element] = []
    for event, element in events:
        if event == "start":
            if not parents and element.getroottree().docinfo.doctype:
                raise ValueError("a document type")
            parents.append(element)
            continue
        parents.pop()
        yield element, parents
        if len(parents) == JOB_DEPTH:
            element.clear()
            while element.getprevious() is not None:
                del parents[-1][0]


def members(body: bytes) -> dict[str, Any]:
    """The members of a JSON object, in their order; names that come twice, NaN and the like are not JSON to us."""
    found = json.loads(body.decode("utf-8-sig"), object_pairs_hook=_unique, parse_constant=_refuse)
    if not isinstance(found, dict):
        raise ValueError("no object")  # noqa: TRY004 - what reads bytes fails in one way
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name that comes twice")
    return found


def _refuse(text: str) -> NoReturn:
    raise ValueError(text)


def _json_envelope(exchange: Exchange) -> ParsedEnvelope:
    found, shared = members(exchange.body), dict[object, Any]()
    details = found.get("errorDetails")
    return ParsedEnvelope(
        exchange,
        tuple(found),
        found,
        (tuple(details) if isinstance(details, list) else (details,)) if "errorDetails" in found else None,
        tuple(
            ParsedResourceSet(
                tuple(each),
                each.get("estimatedTotal"),
                tuple(_json_job(exchange, job, shared) for job in _objects(each)),
            )
            for each in _objects(found, "resourceSets")
        ),
    )


def _objects(parent: dict[str, Any], name: str = "resources") -> Iterator[dict[str, Any]]:
    value = parent.get(name)
    return (each for each in value if isinstance(each, dict)) if isinstance(value, list) else iter(())


def _json_job(exchange: Exchange, job: dict[str, Any], shared: dict[object, Any]) -> ParsedJob:
    kind = job.get("__type")
    text = kind if isinstance(kind, str) else ""
    links = tuple(
        ParsedLink(str(link.get("role")), _text(link, "name"), str(link.get("url")), _once(shared, tuple(link)))
        for link in _objects(job, "links")
    )
    order = _once(shared, tuple(job))
    if "links" in job:  # they are kept once, as links
        job["links"] = len(links)
    return ParsedJob(exchange, _once(shared, text.partition(":")[0]), _once(shared, text), order, job, links)


def _once(shared: dict[object, Any], value: _Value) -> _Value:
    """The same value as it was met first, so that a thousand jobs hold it once."""
    found: _Value = shared.setdefault(value, value)
    return found


def _text(link: dict[str, Any], name: str) -> str | None:
    return str(link[name]) if name in link else None


def _xml_envelope(exchange: Exchange) -> ParsedEnvelope | None:
    found, sets, jobs, shared = None, list[ParsedResourceSet](), list[ParsedJob](), dict[object, Any]()
    for element, parents in _elements(exchange.body):
        found = element if not parents else parents[0]
        depth = len(parents)
        if depth == JOB_DEPTH and _tags(parents) == _RESOURCES and str(element.tag).startswith(f"{{{BING}}}"):
            jobs.append(_xml_job(exchange, element, shared))
            if len(jobs) > MOST_JOBS:
                return None
        elif depth == SET_DEPTH and (*_tags(parents), element.tag) == _RESOURCES[:SET_DEPTH]:
            sets.append(_xml_set(element, tuple(jobs)))
            jobs = []
    if found is None or etree.QName(found).localname != "Response":
        return None
    children = _children(found)
    details = found.find(f"{{{BING}}}ErrorDetails")
    return ParsedEnvelope(
        exchange,
        tuple(name for name, _ in children),
        {_member(name): _value(_member(name), child) for name, child in children},
        None if details is None else tuple(child.text or "" for _, child in _children(details)),
        tuple(sets),
    )


def _tags(parents: list[etree._Element]) -> tuple[object, ...]:
    return tuple(each.tag for each in parents[1:])


def _xml_set(element: etree._Element, jobs: tuple[ParsedJob, ...]) -> ParsedResourceSet:
    children = _children(element)
    total = next((_value("estimatedTotal", child) for name, child in children if name == "EstimatedTotal"), None)
    return ParsedResourceSet(tuple(name for name, _ in children), total, jobs)


def _xml_job(exchange: Exchange, element: etree._Element, shared: dict[object, Any]) -> ParsedJob:
    children = [(_once(shared, name), child) for name, child in _children(element)]
    links = tuple(
        ParsedLink(
            _once(shared, link.get("role", "")),
            _once(shared, link.get("name")),
            link.text or "",
            _once(shared, tuple(map(str, link.keys()))),
        )
        for name, link in children
        if name == "Link"
    )
    kind = _once(shared, etree.QName(element).localname)
    return ParsedJob(
        exchange,
        kind,
        kind,
        _once(shared, tuple(name for name, _ in children)),
        {
            _once(shared, _member(name)): _once(shared, _value(_member(name), child))
            for name, child in children
            if child.text is not None and name != "Link"
        },
        links,
        _once(shared, tuple(name for name, child in children if not child.text)),
    )


def _children(element: etree._Element) -> list[tuple[str, etree._Element]]:
    return [(etree.QName(child).localname, child) for child in element.iterchildren("*")]


def _member(name: str) -> str:
    return name[:1].lower() + name[1:]


def _value(name: str, element: etree._Element) -> object:
    text = element.text or ""
    return int(text) if name in _NUMBERS and text.isascii() and text.lstrip("-").isdigit() else text
