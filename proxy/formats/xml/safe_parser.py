"""An XML parser for what strangers send: no document type, so no entities to expand and nothing to fetch; all bounded.

Expat, fed piece by piece: unlike lxml's feed interface it says after each piece how far it has understood the text.
"""

from collections.abc import Callable
from xml.parsers import expat
from xml.parsers.expat import errors

from proxy.formats.limits import DEEPEST_XML, LARGEST_RECORD
from proxy.formats.schema import InvalidDataError

XSI_NIL = "http://www.w3.org/2001/XMLSchema-instance}nil"

_NEAR = 30
# The parser's words are not ours.
_WRONG = {
    errors.XML_ERROR_NO_ELEMENTS: "it holds no element",
    errors.XML_ERROR_INVALID_TOKEN: "a character that can't stand there; & and < in a text are written &amp; and &lt;",
    errors.XML_ERROR_UNCLOSED_TOKEN: "it is cut off, or a < stands in a text; it is written &lt;",
    errors.XML_ERROR_PARTIAL_CHAR: "it is cut off within a character",
    errors.XML_ERROR_TAG_MISMATCH: "an end tag that is not that of the last open element",
    errors.XML_ERROR_DUPLICATE_ATTRIBUTE: "an attribute stands twice",
    errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT: "more behind the end of the root element",
    errors.XML_ERROR_UNDEFINED_ENTITY: "a reference to an entity that XML does not know, such as &nbsp;",
    errors.XML_ERROR_BAD_CHAR_REF: "a reference to a character that XML can't hold",
    errors.XML_ERROR_MISPLACED_XML_PI: "the XML declaration is not at the very beginning",
    errors.XML_ERROR_UNCLOSED_CDATA_SECTION: "a CDATA section that nothing closes",
    errors.XML_ERROR_UNBOUND_PREFIX: "a prefix that stands for no namespace",
}

Start = Callable[[str, dict[str, str]], None]


class XmlParser:
    """Calls back for each element and text. A name in a namespace is `namespace}name`."""

    def __init__(self, start: Start, end: Callable[[str], None], text: Callable[[str], None]) -> None:
        self._expat = expat.ParserCreate("utf-8", "}")
        self._expat.buffer_text = True
        self._expat.StartElementHandler = self._start
        self._expat.EndElementHandler = self._end
        self._expat.StartDoctypeDeclHandler = _refuse_doctype
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

    @property
    def tag_at(self) -> int:
        """Where the tag begins that is being reported, in bytes from the file's beginning."""
        return self._expat.CurrentByteIndex

    def feed(self, data: bytes) -> None:
        """Parses a piece.

        Raises:
            UnusableError: the text is no well-formed XML, or one thing in it is too large.
        """
        self._fed += len(data)
        self._parse(data, end=False)
        self._check_size(self._fed)

    def close(self) -> None:
        """Says that this was all.

        Raises:
            UnusableError: something is missing.
        """
        self._parse(b"", end=True)

    def record_read(self) -> None:
        """From here, the bound for one thing's size counts anew."""
        at = self._expat.CurrentByteIndex
        self._check_size(at)
        self._record = at

    def rests_after(self, tag: bytes) -> bool:
        """Whether all that was fed is understood and its last thing was this end tag: reading may go on without it."""
        return self._ended + len(tag) == self._fed

    def _parse(self, data: bytes, *, end: bool) -> None:
        try:
            self._expat.Parse(data, end)
        except expat.ExpatError as error:
            line = error.lineno + self.lines_skipped
            why = _WRONG.get(expat.ErrorString(error.code), "something is written in a way that XML does not know")
            raise InvalidDataError(f"line {line}: no well-formed XML: {why}{self._near(data)}") from error

    def _near(self, data: bytes) -> str:
        """The text of the last piece where the error is."""
        at = self._expat.ErrorByteIndex - (self._fed - len(data))
        text = data[max(0, at - _NEAR) : at + _NEAR].decode("utf-8", "ignore") if at >= 0 else ""
        text = "".join(character if character.isprintable() else " " for character in text).strip()
        return f", near {text!r}" if text else ""

    def _check_size(self, at: int) -> None:
        if at - self._record > LARGEST_RECORD:
            raise InvalidDataError(
                f"an element that begins before line {self.line} is larger than {LARGEST_RECORD:,} bytes"
            )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > DEEPEST_XML:
            raise InvalidDataError(f"line {self.line}: more than {DEEPEST_XML} elements in each other")
        self._on_start(name, attributes)

    def _end(self, name: str) -> None:
        self._ended = self._expat.CurrentByteIndex
        self._on_end(name)
        self.depth -= 1


def local(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition("}")[2]


def _refuse_doctype(*_: object) -> None:
    raise InvalidDataError("a document type (DOCTYPE) is not allowed")
