"""Reads a GeocodeFeed, version 1.0 or 2.0: names in any letter case and namespace, children in any order."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import chain
from typing import IO, NamedTuple

from lxml.etree import _Element

from proxy.formats.columns.buffers import quote_value
from proxy.formats.geocode.numbers import parse_boolean, parse_number
from proxy.formats.geocode.requests import NO_REQUEST, Row, build_request
from proxy.formats.geocode.xml_renderer import XmlRenderer
from proxy.formats.geocode.xml_vocabulary import (
    BOOLEANS,
    CHILD_ATTRIBUTES,
    ENTITY,
    FORWARD,
    INTEGERS,
    NUMBERS,
    ONLY_VERSION_2,
    REQUEST_ATTRIBUTES,
    REVERSE,
    ROOT,
    write_attribute,
)
from proxy.formats.schema import InvalidDataError
from proxy.formats.xml.parser import XmlParser, local_name

_VERSIONS = {"": 1, "1": 1, "1.0": 1, "2": 2, "2.0": 2}
_INTEGER = re.compile(r"[+-]?[0-9]{1,20}+")
_ATTRIBUTES = {"Id", "Version", *chain.from_iterable(REQUEST_ATTRIBUTES.values())} | {
    name for children in CHILD_ATTRIBUTES.values() for names in children.values() for name in names
}
_BY_LOWER = {name.lower(): name for name in _ATTRIBUTES}
_CHILDREN = {
    request: tuple([(child.lower(), child, names) for child, names in children.items()])
    for request, children in CHILD_ATTRIBUTES.items()
}
_REQUESTS = {name.lower(): name for name in (FORWARD, REVERSE)}


class _Request(NamedTuple):
    """One request of an entity: its values that are not empty, its markup, and whether it wants neighborhoods."""

    given: dict[str, str]
    markup: str
    with_neighborhood: bool


class XmlRequests:
    """A file. The constructor reads up to its root's start tag; iterating gives its rows, once.

    Args:
        data: the file, unpacked.

    Raises:
        InvalidDataError: the file can't be read, found by the constructor or while iterating.
    """

    def __init__(self, data: IO[bytes]) -> None:
        self._parser = XmlParser(data, lambda _: False)
        name = self._parser.root_name
        if name.lower() != ROOT.lower():
            raise InvalidDataError(f"the root element is {quote_value(name)}; it has to be {ROOT}")
        text = next((value for name, value in self._parser.root_attributes.items() if _local(name) == "version"), "")
        version = _VERSIONS.get(text.strip())
        if version is None:
            raise InvalidDataError(f"the Version of the {ROOT} is {quote_value(text)}; it has to be 1.0 or 2.0")
        self._names = {
            request: tuple([name for name in names if version > 1 or name not in ONLY_VERSION_2])
            for request, names in REQUEST_ATTRIBUTES.items()
        }
        self.renderer = XmlRenderer(version)

    def __iter__(self) -> Iterator[Row]:
        """The rows, in the file's order."""
        other, count = "", 0
        for element in self._parser:
            if _local(str(element.tag)) == ENTITY.lower():
                count += 1
                yield self._read_entity(element)
            else:
                other = other or local_name(element)
        if other and not count:
            raise InvalidDataError(f"the {ROOT} holds no {ENTITY}, but {quote_value(other)}")

    def _read_entity(self, entity: _Element) -> Row:
        read: dict[str, _Request] = {}
        for child in entity:
            name = _REQUESTS.get(_local(str(child.tag)))
            if name is not None and name not in read:
                read[name] = self._read_request(child, name)
        request, used = build_request({}), None
        for name in (FORWARD, REVERSE):
            if name in read and request.fault == NO_REQUEST:
                used = read[name]
                request = build_request(used.given)
        echo = (
            write_attribute("Id", _attributes(entity).get("Id", "")),
            "".join([one.markup for one in read.values()]),
        )
        with_neighborhood = used is not None and used.with_neighborhood
        return Row(request.question, request.selection, request.fault, echo, with_neighborhood)

    def _read_request(self, element: _Element, name: str) -> _Request:
        found = _attributes(element)
        given: dict[str, str] = {}
        start = _read_attributes(found, self._names[name], given)
        children = {_local(str(child.tag)): child for child in reversed(element)}
        inner = ""
        for local, child, names in _CHILDREN[name]:
            part = children.get(local)
            if part is not None:
                inner += f"<{child}{_read_attributes(_attributes(part), names, given)} />"
        markup = f"<{name}{start}>{inner}</{name}>" if inner else f"<{name}{start} />"
        return _Request(given, markup, parse_boolean(found.get("IncludeNeighborhood", "")) is True)


def _read_attributes(found: dict[str, str], names: tuple[str, ...], given: dict[str, str]) -> str:
    """Adds the values that are not blank to `given`; returns the attributes as an echo has them."""
    markup = ""
    for name in names:
        value = found.get(name)
        if value:
            if not value.isspace():
                given[name] = value
            markup += write_attribute(name, _ECHOES[name](value) if name in _ECHOES else value)
    return markup


# One client reads no feed that has a wrong number or boolean: they are left out.
_ECHOES: dict[str, Callable[[str], str]] = {
    **dict.fromkeys(BOOLEANS, lambda value: "true" if parse_boolean(value) else ""),
    **dict.fromkeys(NUMBERS, lambda value: "" if parse_number(value) is None else value),
    **dict.fromkeys(INTEGERS, lambda value: value if _INTEGER.fullmatch(value.strip()) else ""),
}


def _attributes(element: _Element) -> dict[str, str]:
    """The attributes by their names in this package's letter case; of two that differ in case only, the first."""
    found = element.items()
    known = dict(found)
    if known.keys() <= _ATTRIBUTES:
        return known
    return {_attribute(str(name)): str(value) for name, value in reversed(found)}


@lru_cache(maxsize=256)
def _attribute(name: str) -> str:
    """The name without its namespace, in this package's letter case."""
    local = _local(name)
    return _BY_LOWER.get(local, local)


@lru_cache(maxsize=256)
def _local(name: str) -> str:
    """The name without its namespace, in lower case."""
    return name.rpartition("}")[2].lower()
