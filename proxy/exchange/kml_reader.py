"""The placemarks of a KML file (OGC KML 2.2), one small tree after the other."""

from collections.abc import Iterator
from typing import IO

from lxml import etree

from proxy.exchange.limits import MOST_POINTS
from proxy.exchange.schema import UnusableError
from proxy.exchange.xml_parser import XmlParser, local

_PIECE = 64 * 1024
_MOST_ELEMENTS = 2 * MOST_POINTS
"""In one placemark."""

Placemark = tuple[int, etree._Element]  # noqa: SLF001  lxml names its elements' type so
"""The line where it begins, and its element; no name has a namespace."""


class KmlReader:
    """Reads a file; `fields` are the types of the schemas' fields that have been read so far."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self._parser = XmlParser(self._start, self._end, self._text)
        self._builder: etree.TreeBuilder | None = None
        self._line = self._depth = self._elements = 0
        self._done: list[Placemark] = []

    def placemarks(self, data: IO[bytes]) -> Iterator[Placemark]:
        """The placemarks, in the file's order.

        Raises:
            UnusableError: the file is no well-formed XML, no KML, or one of its placemarks is too large.
        """
        while piece := data.read(_PIECE):
            self._parser.feed(piece)
            yield from self._done
            self._done.clear()
        self._parser.close()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = local(name)
        if self._parser.depth == 1 and name != "kml":
            raise UnusableError(f"the root element is {name[:50]}, not kml")
        if self._builder is None and name == "Placemark":
            self._builder = etree.TreeBuilder()
            self._line, self._depth, self._elements = self._parser.line, self._parser.depth, 0
        elif self._builder is None and name == "SimpleField":
            self.fields[attributes.get("name", "")] = attributes.get("type", "")
        if self._builder is not None:
            self._elements += 1
            if self._elements > _MOST_ELEMENTS:
                raise UnusableError(f"line {self._line}: a placemark of more than {_MOST_ELEMENTS:,} elements")
            self._builder.start(name, {local(key): value for key, value in attributes.items()})

    def _text(self, text: str) -> None:
        if self._builder is not None:
            self._builder.data(text)

    def _end(self, name: str) -> None:
        if self._builder is not None:
            self._builder.end(local(name))
            if self._parser.depth > self._depth:
                return
            self._done.append((self._line, self._builder.close()))
            self._builder = None
        self._parser.record_read()
