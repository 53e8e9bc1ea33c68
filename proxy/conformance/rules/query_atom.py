"""Section 2.2 of the query contract: entities in Atom."""

import re

from lxml import etree

from proxy.conformance.exchange import Purpose
from proxy.conformance.parsed_query import ATOM, DATA, METADATA, ParsedAnswer
from proxy.conformance.rule import rule
from proxy.conformance.rules.checks import Verdict
from proxy.conformance.rules.query_checks import content_type_is, forms
from proxy.conformance.rules.query_json import COORDINATE, register_values, type_of, url_fault

_DECLARATION = re.compile(rb"""<\?xml version=["']1\.0["'] encoding=["']utf-8["']""", re.IGNORECASE)
_TAG = re.compile(rb"<[^<>]*")
_PREFIXES = {None: ATOM, "d": DATA, "m": METADATA}
_TYPE, _NULL = f"{{{METADATA}}}type", f"{{{METADATA}}}null"
_FEED = ("title", "id", "rights", "updated")
_ENTRY = ("id", "title", "updated", "content")

register_values(2)
rule("q2.2.content-type", "Atom is application/atom+xml; charset=utf-8.", forms(atom=True))(
    content_type_is("application/atom+xml")
)
rule("q2.2.declaration", "Atom begins with its declaration, UTF-8, without a BOM.", forms(atom=True))(
    lambda answer: _DECLARATION.match(answer.exchange.body) is not None
)
rule("q2.2.id", "The id of an entry is the entity's URL, as it is stored.", forms(atom=True))(url_fault)


@rule("q2.2.compact", "No white space stands between elements.", forms(atom=True))
def _compact(answer: ParsedAnswer) -> bool:
    return not any(each.tail or (len(each) and each.text) for each in answer.root.iter())


@rule("q2.2.namespaces", "The root declares d, m and Atom as default; no other element declares any.", forms(atom=True))
def _namespaces(answer: ParsedAnswer) -> bool:
    declaring = sum(b" xmlns" in tag for tag in _TAG.findall(answer.exchange.body))
    return dict(answer.root.nsmap) == _PREFIXES and declaring == 1


@rule("q2.2.prefixes", "Names are m:properties and d:Name, to the letter.", forms(atom=True))
def _prefixes(answer: ParsedAnswer) -> bool:
    holders = answer.root.iter(f"{{{METADATA}}}properties")
    return {each.prefix for each in holders} <= {"m"} and all(
        one.prefix == "d" for each in answer.entities for one in each.properties
    )


@rule("q2.2.feed", "A feed has title, id, rights, updated, m:count where it is wanted, entries.", forms(atom=True))
def _feed(answer: ParsedAnswer) -> bool | None:
    if answer.exchange.request.purpose is Purpose.FIND_ONE:
        return None
    entries = ("entry",) * len(answer.entities)
    return _names(answer.root) == (*_FEED, *("count",) * answer.is_counted, *entries)


@rule("q2.2.entry", "An entry has id, title, updated, content; one alone has rights behind.", forms(atom=True))
def _entry(answer: ParsedAnswer) -> bool:
    root = answer.root
    if answer.exchange.request.purpose is Purpose.FIND_ONE:
        return (etree.QName(root).localname, _names(root)) == ("entry", (*_ENTRY, "rights"))
    return all(_names(each) == _ENTRY for each in root.iterfind(f"{{{ATOM}}}entry"))


@rule("q2.2.content", "content is application/xml, its first node m:properties.", forms(atom=True))
def _content(answer: ParsedAnswer) -> bool:
    return all(
        (each.get("type"), each.text, [child.tag for child in each])
        == ("application/xml", None, [f"{{{METADATA}}}properties"])
        for each in answer.root.iter(f"{{{ATOM}}}content")
    )


@rule("q2.2.updated", "updated is a whole second in UTC.", forms(atom=True))
def _updated(answer: ParsedAnswer) -> bool:
    found = answer.root.iter(f"{{{ATOM}}}updated")
    return all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", each.text or "") for each in found)


@rule("q2.2.types", "All but texts have m:type; a text has no attribute.", forms(atom=True))
def _types(answer: ParsedAnswer) -> Verdict:
    for each in (one for entity in answer.entities for one in entity.properties):
        found, edm = dict(each.attributes), type_of(answer, each.name)
        edm = "Edm.Double" if edm == COORDINATE else edm
        if found and edm == "Edm.String":
            return f"{each.name} should have no attribute"
        # Where the schema is not known, any type is right, and one is needed beside another attribute.
        if found.get(_TYPE) != (edm or found.get(_TYPE) or "any") and (found or edm not in {"", "Edm.String"}):
            return f"{each.name} should have m:type={edm or '...'}"
    return ""


@rule("q2.2.null", 'A missing value has m:null="true" and no text.', forms(atom=True), "no value is missing")
def _null(answer: ParsedAnswer) -> Verdict:
    typed = [one for each in answer.entities for one in each.properties if _TYPE in dict(one.attributes)]
    wrong = [one.name for one in typed if not one.written or (one.written != "null" and _NULL in dict(one.attributes))]
    if wrong:
        return f"{wrong[0]} has no text, or has one beside m:null"
    return True if any(one.written == "null" for one in typed) else None


def _names(element: etree._Element) -> tuple[str, ...]:
    return tuple(etree.QName(each).localname for each in element)
