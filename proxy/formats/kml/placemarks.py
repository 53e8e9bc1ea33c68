"""The placemarks of a KML file (OGC KML 2.2), one small tree after the other."""

from collections.abc import Iterator
from typing import IO
from xml.etree.ElementTree import Element, TreeBuilder

from proxy.formats.limits import MOST_POINTS
from proxy.formats.schema import InvalidDataError
from proxy.formats.xml.encoding import XmlBytes
from proxy.formats.xml.safe_parser import XmlParser, local

# Expat reads again what a piece does not end: a large one keeps that from growing with the square.
_PIECE = 1024 * 1024
_MOST_ELEMENTS = 2 * MOST_POINTS
"""In one placemark."""
_MOST_FIELDS = 5_000
LONGEST_DATA_NAME = 1_000
"""Characters of the name of data that make it another one."""

Placemark = tuple[int, Element]
"""The line where it begins, and its element; no name has a namespace."""


class KmlReader:
    """Reads a file; `fields` are the types of the schemas' fields that have been read so far."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self._parser = XmlParser(self._start, self._end, self._text)
        self._builder: TreeBuilder | None = None
        self._line = self._depth = self._elements = 0
        self._done: list[Placemark] = []

    def placemarks(self, data: IO[bytes]) -> Iterator[Placemark]:
        """The placemarks, in the file's order.

        Raises:
            UnusableError: the file is no well-formed XML, no KML, or one of its placemarks is too large.
        """
        source, lines = XmlBytes(data), 1
        while piece := source.read(_PIECE, lines):
            lines += piece.count(b"\n")
            self._parser.feed(piece)
            yield from self._done
            self._done.clear()
        self._parser.close()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = local(name)
        if self._builder is None:
            self._start_outside(name, attributes)
        if self._builder is not None:
            self._elements += 1
            if self._elements > _MOST_ELEMENTS:
                raise InvalidDataError(f"line {self._line}: a placemark of more than {_MOST_ELEMENTS:,} elements")
            self._builder.start(name, {local(key): value for key, value in attributes.items()} if attributes else {})

    def _start_outside(self, name: str, attributes: dict[str, str]) -> None:
        if self._parser.depth == 1 and name != "kml":
            raise InvalidDataError(f"the root element is {name[:50]}, not kml")
        if name == "Placemark":
            self._builder = TreeBuilder()
            self._line, self._depth, self._elements = self._parser.line, self._parser.depth, 0
        elif name == "SimpleField" and len(self.fields) < _MOST_FIELDS:
            self.fields[attributes.get("name", "")[:LONGEST_DATA_NAME]] = attributes.get("type", "")[:LONGEST_DATA_NAME]

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
