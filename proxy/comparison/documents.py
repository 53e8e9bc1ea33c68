"""Strict and bounded readers of JSON and XML that strangers write."""

import json
from collections.abc import Callable
from typing import Any, NoReturn

from lxml import etree

# A list of 10,000 jobs has half of these parts; many more would take gigabytes and minutes.
MAX_PARTS = 600_000

BOM = b"\xef\xbb\xbf"


def is_huge(body: bytes) -> bool:
    """Whether a body has an absurd number of parts."""
    return sum(body.count(each) for each in (b",", b"[", b"{", b"<")) > MAX_PARTS


def read_json(body: bytes, number: Callable[[str], object] | None = None) -> Any:  # noqa: ANN401 - what JSON holds
    """Strict JSON; `number` reads its numbers.

    Raises:
        ValueError: it is none, or a name is repeated.
        RecursionError: it is nested too deeply.
    """
    return json.loads(
        body.decode("utf-8-sig"),
        object_pairs_hook=_unique,
        parse_constant=_refuse,
        parse_float=number,
        parse_int=number,
    )


def read_xml(body: bytes) -> etree._Element:
    """XML without entities, DTDs and network.

    Raises:
        ValueError: the document has a document type.
        etree.LxmlError: the body is no XML.
    """
    root = etree.fromstring(
        body,
        etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True),
    )
    if root.getroottree().docinfo.doctype:
        raise ValueError("a document type")
    return root


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a repeated name")
    return found


def _refuse(text: str) -> NoReturn:
    raise ValueError(text)
