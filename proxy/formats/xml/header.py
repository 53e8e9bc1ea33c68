"""The beginning of an XML file up to the end of its schema, and a parser that stands exactly there."""

from typing import IO
from xml.etree.ElementTree import Element, TreeBuilder

from proxy.formats.schema import InvalidDataError
from proxy.formats.xml.encoding import XmlBytes
from proxy.formats.xml.safe_parser import XmlParser, local

XSD = "http://www.w3.org/2001/XMLSchema"
_PIECE = 64 * 1024
_LARGEST_SCHEMA = 1024 * 1024
_ROOT, _CHILD = 1, 2


class SchemaHeader:
    """Reads the head; then `schema` is the schema's element and `rest` the bytes that were read beyond it.

    The head is read twice: once to find its end, and once, by `parser`, up to there and not a byte further.
    """

    def __init__(self, data: IO[bytes]) -> None:
        self._builder = TreeBuilder()  # unlike lxml's, it takes every name that the parser takes
        self._end_tag: int | None = None
        self._reader = XmlParser(self._start, self._end, self._text)
        self.data = XmlBytes(data)
        head = self._read()
        self.schema: Element = self._builder.close()
        end = head.index(b">", self._end_tag) + 1
        self.parser = XmlParser(_nothing, _nothing, _nothing)
        self.parser.feed(head[:end])
        self.parser.record_read()
        self.rest = head[end:]
        # The parser has been fed up to this line's part before `rest`.
        self.line = self.parser.line

    def _read(self) -> bytes:
        head = b""
        while self._end_tag is None:
            piece = self.data.read(_PIECE, 1 + head.count(b"\n"))
            head += piece
            try:
                self._reader.feed(piece) if piece else self._reader.close()
            except InvalidDataError:
                if self._end_tag is None:  # what is wrong behind the schema is said when it is read
                    raise
            if self._end_tag is None and not piece:
                raise InvalidDataError("the XML has no schema (xs:schema) as the first child of its root")
            if self._end_tag is None and len(head) > _LARGEST_SCHEMA:
                raise InvalidDataError(f"the schema is too large: it does not end within {_LARGEST_SCHEMA:,} bytes")
        return head

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self._end_tag is not None:
            return
        if self._reader.depth == _CHILD and name != f"{XSD}}}schema":
            raise InvalidDataError(
                f"line {self._reader.line}: the first child of the root has to be the schema (xs:schema), "
                f"not {local(name)[:50]}"
            )
        if self._reader.depth > _ROOT:
            self._builder.start(_clark(name), {_clark(key): value for key, value in attributes.items()})

    def _end(self, name: str) -> None:
        if self._end_tag is None and self._reader.depth > _ROOT:
            self._builder.end(_clark(name))
            if self._reader.depth == _CHILD:
                self._end_tag = self._reader.tag_at

    def _text(self, text: str) -> None:
        """A schema's texts are annotations."""


def _nothing(*_: object) -> None:
    """What is read for the second time is known."""


def _clark(name: str) -> str:
    return "{" + name if "}" in name else name
