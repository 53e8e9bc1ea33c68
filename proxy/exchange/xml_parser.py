"""An XML parser for what strangers send: no document type, so no entities to expand and nothing to fetch; all bounded.

Expat, fed piece by piece: unlike lxml's feed interface it says after each piece how far it has understood the text.
"""

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable
from xml.parsers import expat

from proxy.exchange.limits import DEEPEST_XML, LARGEST_RECORD
from proxy.exchange.schema import UnusableError

_ENCODINGS = {"utf-8", "utf8", "us-ascii", "ascii"}
XSI_NIL = "http://www.w3.org/2001/XMLSchema-instance}nil"

Start = Callable[[str, dict[str, str]], None]


class XmlParser:
    """Calls back for each element and text. A name in a namespace is `namespace}name`."""

    def __init__(self, start: Start, end: Callable[[str], None], text: Callable[[str], None]) -> None:
        self._expat = expat.ParserCreate("utf-8", "}")
        self._expat.buffer_text = True
        self._expat.StartElementHandler = self._start
        self._expat.EndElementHandler = self._end
        self._expat.StartDoctypeDeclHandler = _refuse_doctype
        self._expat.XmlDeclHandler = _check_declaration
        self.handle(start, end, text)
        self._fed = self._record = self._ended = 0
        self.depth = 0
        self.lines_skipped = 0

    def handle(self, start: Start, end: Callable[[str], None], text: Callable[[str], None]) -> None:
        """Calls these from now on."""
        self._on_start, self._on_end, self._expat.CharacterDataHandler = start, end, text

    @property
    def line(self) -> int:
        """The line of the element or text that is being reported."""
        return self._expat.CurrentLineNumber + self.lines_skipped

    def feed(self, data: bytes) -> None:
        """Parses a piece.

        Raises:
            UnusableError: the text is no well-formed XML, or one thing in it is too large.
        """
        if not self._fed and data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):  # expat would follow them
            raise UnusableError("the encoding has to be UTF-8, not UTF-16")
        self._fed += len(data)
        self._parse(data, end=False)
        if self._fed - self._record > LARGEST_RECORD:
            raise UnusableError(
                f"an element that begins before line {self.line} is larger than {LARGEST_RECORD:,} bytes"
            )

    def close(self) -> None:
        """Says that this was all.

        Raises:
            UnusableError: something is missing.
        """
        self._parse(b"", end=True)

    def record_read(self) -> None:
        """From here, the bound for one thing's size counts anew."""
        self._record = self._expat.CurrentByteIndex

    def rests_after(self, tag: bytes) -> bool:
        """Whether all that was fed is understood and its last thing was this end tag: reading may go on without it."""
        return self._ended + len(tag) == self._fed

    def _parse(self, data: bytes, *, end: bool) -> None:
        try:
            self._expat.Parse(data, end)
        except expat.ExpatError as error:
            line = error.lineno + self.lines_skipped
            raise UnusableError(f"line {line}: no well-formed XML: {expat.ErrorString(error.code)}") from error

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > DEEPEST_XML:
            raise UnusableError(f"line {self.line}: more than {DEEPEST_XML} elements in each other")
        self._on_start(name, attributes)

    def _end(self, name: str) -> None:
        self._ended = self._expat.CurrentByteIndex
        self._on_end(name)
        self.depth -= 1


def local(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition("}")[2]


def _refuse_doctype(*_: object) -> None:
    raise UnusableError("a document type (DOCTYPE) is not allowed")


def _check_declaration(_version: str, encoding: str | None, _standalone: int) -> None:
    if encoding is not None and encoding.lower() not in _ENCODINGS:
        raise UnusableError(f"the encoding has to be UTF-8, not {encoding[:50]}")
