"""The beginning of an XML file up to the end of its schema, and a parser that stands exactly there."""

import re
from typing import IO

from lxml import etree

from proxy.exchange.schema import UnusableError
from proxy.exchange.xml_parser import XmlParser, local

XSD = "http://www.w3.org/2001/XMLSchema"
_PIECE = 64 * 1024
_LARGEST_SCHEMA = 1024 * 1024
# Each piece that doesn't end what the parser has begun is read again with the next one.
_MOST_PIECES = 100
_MAY_END = re.compile(rb"schema[^<>]*>")
_ROOT, _CHILD = 1, 2


class XmlHead:
    """Reads the head; then `schema` is the schema's element and `rest` the bytes that were read beyond it."""

    def __init__(self, data: IO[bytes]) -> None:
        self._builder = etree.TreeBuilder()
        self._done = False
        self.parser = XmlParser(self._start, self._end, self._text)
        self.rest = self._feed(data)
        self.schema = self._builder.close()
        # The parser has been fed up to this line's part before `rest`.
        self.line = self.parser.line

    def _feed(self, data: IO[bytes]) -> bytes:
        """Feeds pieces that may end the schema, so that the parser stops where it does, not a byte later."""
        rest, start, pieces = b"", 0, 0
        while not self._done:
            found = _MAY_END.search(rest, start)
            if found:
                self.parser.feed(rest[start : found.end()])
                start = found.end()
                pieces += 1
            elif more := data.read(_PIECE):
                rest, start = rest[start:] + more, 0
            else:
                self.parser.feed(rest[start:])
                self.parser.close()
                raise UnusableError("the XML has no schema (xs:schema) as the first child of its root")
            if pieces > _MOST_PIECES or len(rest) - start > _LARGEST_SCHEMA:
                raise UnusableError("the schema is too large")
        self.parser.record_read()
        return rest[start:]

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self.parser.depth == _CHILD and name != f"{XSD}}}schema":
            raise UnusableError(f"the first child of the root has to be the schema (xs:schema), not {local(name)[:50]}")
        if self.parser.depth > _ROOT:
            self._builder.start(_clark(name), {_clark(key): value for key, value in attributes.items()})

    def _end(self, name: str) -> None:
        if self.parser.depth > _ROOT:
            self._builder.end(_clark(name))
        self._done = self.parser.depth == _CHILD

    def _text(self, text: str) -> None:
        """A schema's texts are annotations."""


def _clark(name: str) -> str:
    return "{" + name if "}" in name else name
