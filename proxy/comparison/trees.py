"""Bodies as trees of one form, whatever their format, in which order and spelling are kept.

An object is `Members`, pairs of a name and a value. A list is a list, a number of JSON a `Number`, and the rest are
texts, booleans and None. Trees that are equal by `==` are written alike: neither `1` and `true` nor `1` and `"1"` are.
An element of XML without attributes and children is its text. Else its attributes are members with an `@`, its text is
`#text`, and children that repeat are one member with a list.
"""

import json
import re
from typing import Any, NamedTuple, NoReturn

from lxml import etree

from proxy.comparison.documents import BOM, is_huge, read_xml

MAX_ATTRIBUTES = 100  # of an element: lxml takes quadratic time for them

_CALL = re.compile(rb"([A-Za-z0-9_$.\[\]]{1,128})\((?=\{)")
# A prefix for each namespace of this API, whatever the answer calls it; the root shows what it does call it.
_PREFIXES = {
    "http://schemas.microsoft.com/search/local/ws/rest/v1": "",
    "http://www.w3.org/2005/Atom": "",
    "http://www.w3.org/2007/app": "app:",
    "http://schemas.microsoft.com/bing/spatial/2010/11/odata": "bsi:",
    "http://schemas.microsoft.com/ado/2007/08/dataservices": "d:",
    "http://schemas.microsoft.com/ado/2007/08/dataservices/metadata": "m:",
    "http://schemas.microsoft.com/ado/2007/06/edmx": "edmx:",
    "http://schemas.microsoft.com/ado/2008/09/edm": "",
    "http://www.w3.org/2001/XMLSchema-instance": "xsi:",
}
# Elements whose children are a list, whatever the children's names.
_CONTAINERS = frozenset(("Resources", "ErrorDetails", "ResourceSets"))
_REPEATED = frozenset(("Link", "entry", "app:workspace", "app:collection", "Schema", "Property", "EntityType"))


class Members(tuple[tuple[str, Any], ...]):
    """An object: its members in their order."""

    __slots__ = ()

    def get(self, name: str) -> Any:  # noqa: ANN401 - any tree
        """The first member of this name; None where there is none."""
        for each, value in self:
            if each == name:
                return value
        return None


class Number(NamedTuple):
    """A number as JSON writes it."""

    text: str


# What a body holds: Members, list, Number, str, bool or None.
Tree = Any


class UnreadableError(Exception):
    """A body is no document of this API, or an absurdly large one; the text is a sentence without values."""


def read_tree(body: bytes) -> Tree:
    """The tree of a body of JSON, JSONP or XML.

    Raises:
        UnreadableError: it is none of them, or has an absurd number of parts.
    """
    if is_huge(body):
        raise UnreadableError("the body has too many parts")
    text = body.removeprefix(BOM).lstrip()
    try:
        if text[:1] == b"<":
            return _element_tree(read_xml(text))
        return _json_tree(text)
    except (ValueError, RecursionError, etree.LxmlError):
        raise UnreadableError("the body is neither JSON nor XML") from None


def _json_tree(body: bytes) -> Tree:
    call = _CALL.match(body)
    decoder = json.JSONDecoder(object_pairs_hook=Members, parse_float=Number, parse_int=Number, parse_constant=_refuse)
    if call is None:
        return decoder.decode(body.decode())
    inner, end = decoder.raw_decode(body[call.end() :].decode())
    rest = body[call.end() :].decode()[end:]
    about = Members((("(callback)", call[1].decode()), ("(after the answer)", rest)))
    return Members((*inner, *about))


def _refuse(text: str) -> NoReturn:
    raise ValueError(text)


def _element_tree(root: etree._Element) -> Members:
    spaces = " ".join(sorted(f"{prefix or ''}={uri}" for prefix, uri in root.nsmap.items()))
    inner = _element_value(root)
    members = inner if isinstance(inner, Members) else Members((("#text", inner),))
    return Members(((_name(root.tag), Members((("@xmlns", spaces), *members))),))


def _element_value(element: etree._Element) -> str | Members:
    if len(element.attrib) > MAX_ATTRIBUTES:
        raise UnreadableError("the body has too many parts")
    text = element.text or ""
    children = list(element.iterchildren("*"))
    if not children and not element.attrib:
        return text
    pairs: list[tuple[str, Any]] = [(f"@{_name(name)}", str(value)) for name, value in element.attrib.items()]
    if not children or text.strip():
        pairs.append(("#text", text))
    if _name(element.tag) in _CONTAINERS:
        pairs.append(("", [Members((("@element", _name(each.tag)), *_pairs_of(each))) for each in children]))
        return Members(pairs)
    lists: dict[str, list[Any]] = {}
    for child in children:
        name, value = _name(child.tag), _element_value(child)
        if name not in _REPEATED:
            pairs.append((name, value))
        elif name in lists:
            lists[name].append(value)
        else:
            lists[name] = [value]
            pairs.append((name, lists[name]))
    return Members(pairs)


def _pairs_of(element: etree._Element) -> Members:
    value = _element_value(element)
    return value if isinstance(value, Members) else Members((("#text", value),))


def _name(tag: Any) -> str:  # noqa: ANN401 - lxml's stubs are wide here
    uri, _, name = str(tag).rpartition("}")
    return f"{_PREFIXES.get(uri[1:], uri + '}')}{name}" if uri else name
