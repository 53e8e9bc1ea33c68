"""Reads the two formats, from anybody: whatever the bytes, what can't be read is None."""

import json
from collections.abc import Iterator
from typing import Any, NoReturn

from lxml import etree

from proxy.conformance.contract import BING
from proxy.conformance.exchanges import Exchange
from proxy.conformance.told import Envelope, ToldJob, ToldLink, ToldSet

# A list of 10,000 jobs has half of these; many more would take gigabytes, and minutes to judge.
MOST_PARTS = 600_000
MOST_JOBS = 25_000

_NUMBERS = frozenset(("statusCode", "estimatedTotal", "totalEntityCount", "processedEntityCount", "failedEntityCount"))


def read(exchange: Exchange) -> Envelope | None:
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


def root(body: bytes) -> etree._Element:
    """The root of an XML document, read without entities, DTDs and network."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    found = etree.fromstring(body.removeprefix(b"\xef\xbb\xbf").lstrip(), parser)
    if found.getroottree().docinfo.doctype:
        raise ValueError("a document type")
    return found


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


def _json_envelope(exchange: Exchange) -> Envelope:
    found = members(exchange.body)
    details = found.get("errorDetails")
    return Envelope(
        exchange,
        tuple(found),
        found,
        (tuple(details) if isinstance(details, list) else (details,)) if "errorDetails" in found else None,
        tuple(
            ToldSet(tuple(each), each.get("estimatedTotal"), tuple(_json_job(exchange, job) for job in _objects(each)))
            for each in _objects(found, "resourceSets")
        ),
    )


def _objects(parent: dict[str, Any], name: str = "resources") -> Iterator[dict[str, Any]]:
    value = parent.get(name)
    return (each for each in value if isinstance(each, dict)) if isinstance(value, list) else iter(())


def _json_job(exchange: Exchange, job: dict[str, Any]) -> ToldJob:
    kind = job.get("__type")
    text = kind if isinstance(kind, str) else ""
    links = tuple(
        ToldLink(str(link.get("role")), _text(link, "name"), str(link.get("url")), tuple(link))
        for link in _objects(job, "links")
    )
    return ToldJob(exchange, text.partition(":")[0], text, tuple(job), job, links)


def _text(link: dict[str, Any], name: str) -> str | None:
    return str(link[name]) if name in link else None


def _xml_envelope(exchange: Exchange) -> Envelope | None:
    found = root(exchange.body)
    if etree.QName(found).localname != "Response":
        return None
    children = _children(found)
    details = found.find(f"{{{BING}}}ErrorDetails")
    sets = found.iterfind(f"{{{BING}}}ResourceSets/{{{BING}}}ResourceSet")
    return Envelope(
        exchange,
        tuple(name for name, _ in children),
        {_member(name): _value(_member(name), child) for name, child in children},
        None if details is None else tuple(child.text or "" for _, child in _children(details)),
        tuple(_xml_set(exchange, each) for each in sets),
    )


def _xml_set(exchange: Exchange, element: etree._Element) -> ToldSet:
    children = _children(element)
    total = next((_value("estimatedTotal", child) for name, child in children if name == "EstimatedTotal"), None)
    jobs = element.iterfind(f"{{{BING}}}Resources/{{{BING}}}*")
    return ToldSet(tuple(name for name, _ in children), total, tuple(_xml_job(exchange, job) for job in jobs))


def _xml_job(exchange: Exchange, element: etree._Element) -> ToldJob:
    children = _children(element)
    links = tuple(
        ToldLink(link.get("role", ""), link.get("name"), link.text or "", tuple(map(str, link.keys())))
        for name, link in children
        if name == "Link"
    )
    return ToldJob(
        exchange,
        etree.QName(element).localname,
        etree.QName(element).localname,
        tuple(name for name, _ in children),
        {_member(name): _value(_member(name), child) for name, child in children if child.text is not None},
        links,
        tuple(name for name, child in children if not child.text),
    )


def _children(element: etree._Element) -> list[tuple[str, etree._Element]]:
    return [(etree.QName(child).localname, child) for child in element.iterchildren("*")]


def _member(name: str) -> str:
    return name[:1].lower() + name[1:]


def _value(name: str, element: etree._Element) -> object:
    text = element.text or ""
    return int(text) if name in _NUMBERS and text.isascii() and text.lstrip("-").isdigit() else text
