"""A bounded XML parser for untrusted files: no document type, so no entities to expand and nothing to fetch.

lxml builds a tree piece by piece; complete elements are given to the reader of a format and removed from the tree. So
no more than one incomplete element is in memory, and its size is limited.
"""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import IO, Any

from lxml.etree import ErrorTypes, XMLPullParser, XMLSyntaxError, _Element

from proxy.formats.limits import MAX_ELEMENTS, MAX_RECORD_BYTES, MAX_XML_DEPTH
from proxy.formats.schema import InvalidDataError
from proxy.formats.xml.encoding import Utf8Stream

# Larger pieces are slower: their trees don't fit into the processor's cache.
_PIECE = 32 * 1024
_FIRST_COUNT = 256 * 1024
# The library compares each declaration of an element with those around it. One piece holds fewer.
_MOST_NAMESPACES = 5_000
# The library's log holds no more: an error after these would be missed.
_MOST_WARNINGS = 100
_CONTEXT = 30

_OPTIONS: dict[str, Any] = {
    "encoding": "utf-8",
    "remove_comments": True,
    "remove_pis": True,
    "collect_ids": False,
    "load_dtd": False,
    "no_network": True,
    "resolve_entities": False,
}
_UNESCAPED = "a character that can't stand there; & and < in a text are written &amp; and &lt;"
_CUT_OFF = "it is cut off, or a < stands in a text; it is written &lt;"
_TWICE = "an attribute stands twice"
# The library's own texts address programmers.
_REASONS = {
    ErrorTypes.ERR_DOCUMENT_EMPTY: "it holds no element",
    ErrorTypes.ERR_INVALID_CHAR: "a character that XML can't hold",
    ErrorTypes.ERR_ENTITYREF_NO_NAME: _UNESCAPED,
    ErrorTypes.ERR_ENTITYREF_SEMICOL_MISSING: _UNESCAPED,
    ErrorTypes.ERR_LT_IN_ATTRIBUTE: _UNESCAPED,
    ErrorTypes.ERR_NAME_REQUIRED: _UNESCAPED,
    ErrorTypes.ERR_GT_REQUIRED: _CUT_OFF,
    ErrorTypes.ERR_TAG_NOT_FINISHED: _CUT_OFF,
    ErrorTypes.ERR_TAG_NAME_MISMATCH: "an end tag that is not that of the last open element",
    ErrorTypes.ERR_ATTRIBUTE_REDEFINED: _TWICE,
    ErrorTypes.NS_ERR_ATTRIBUTE_REDEFINED: _TWICE,
    ErrorTypes.ERR_DOCUMENT_END: "more behind the end of the root element",
    ErrorTypes.ERR_UNDECLARED_ENTITY: "a reference to an entity that XML does not know, such as &nbsp;",
    ErrorTypes.ERR_RESERVED_XML_NAME: "the XML declaration is not at the very beginning",
    ErrorTypes.ERR_CDATA_NOT_FINISHED: "a CDATA section that nothing closes",
    ErrorTypes.NS_ERR_UNDEFINED_NAMESPACE: "a prefix that stands for no namespace",
    ErrorTypes.ERR_COMMENT_NOT_FINISHED: "a comment that nothing closes",
    ErrorTypes.ERR_RESOURCE_LIMIT: f"beyond a limit of the parser, such as {MAX_XML_DEPTH} elements in each other",
}
# Schemas of some writers name namespaces that are no URIs.
_HARMLESS = {ErrorTypes.WAR_NS_URI, ErrorTypes.WAR_NS_URI_RELATIVE}


class XmlParser:
    """Parses a file; iterating gives its elements, each as soon as it is complete, and then removes it from the tree.

    The elements are the children of the root, and of those open elements that are containers: of an open document or
    folder, what is complete in it is given without waiting for its end.

    Args:
        data: the file, in any encoding.
        is_container: decides on an element that is still open. It is asked again as the element grows.

    Raises:
        InvalidDataError: the file is no XML, or has a document type.
    """

    def __init__(self, data: IO[bytes], is_container: Callable[[_Element], bool]) -> None:
        self._source, self._is_container = Utf8Stream(data), is_container
        self._position = _Position()
        self._containers: set[_Element] = set()
        self.size = 0
        """The bytes so far, as UTF-8."""
        self._reset_size()
        self._head, root_tag, self.root_attributes = self._read_root()
        self.root_name = root_tag.rpartition("}")[2]
        self._position = _Position()
        self._parser = XMLPullParser(events=("start", "start-ns"), tag=root_tag, **_OPTIONS)

    def __iter__(self) -> Iterator[_Element]:
        """The complete elements, in the order of the file.

        Raises:
            InvalidDataError: the text is not well-formed, or one part of it is too large. All before it has been given.
        """
        self._reset_size()
        self.size = 0
        root: _Element | None = None
        for piece in chain([self._head], self._pieces()):
            error = self._feed(self._parser, piece)
            for event, element in self._parser.read_events():
                if event == "start-ns":
                    self._namespaces += 1
                elif root is None:
                    root = element
            if self._namespaces > _MOST_NAMESPACES:
                raise InvalidDataError(f"line {self._position.line}: more than {_MOST_NAMESPACES:,} namespaces")
            if root is not None:
                yield from self._release(root, is_open=True)
            if error:
                raise error
            self._check_size(root)
        if error := self._close(self._parser):
            raise error
        if root is not None:
            yield from self._release(root, is_open=False)

    def _release(self, parent: _Element, *, is_open: bool) -> Iterator[_Element]:
        """The complete children, one after the other; those of an open child too, where that is a container."""
        *children, last = [*parent] or [None]
        if not is_open and last is not None:
            children.append(last)
        for child in children:
            if child in self._containers:
                yield from self._release(child, is_open=False)
                self._containers.discard(child)
            else:
                yield child
            parent.remove(child)
            self._reset_size()
        if is_open and last is not None and (last in self._containers or self._is_container(last)):
            self._containers.add(last)
            yield from self._release(last, is_open=True)

    def _reset_size(self) -> None:
        self._unreleased, self._namespaces, self._count_at = 0, 0, _FIRST_COUNT

    def _check_size(self, root: _Element | None) -> None:
        if self._unreleased <= self._count_at:
            return
        where = f"an element that begins before line {self._position.line}"
        if self._unreleased > MAX_RECORD_BYTES:
            raise InvalidDataError(f"{where} is larger than {MAX_RECORD_BYTES:,} bytes")
        self._count_at *= 2
        if root is not None and sum(1 for _ in root.iter()) > MAX_ELEMENTS:
            raise InvalidDataError(f"{where} holds more than {MAX_ELEMENTS:,} others")

    def _read_root(self) -> tuple[bytes, str, dict[str, str]]:
        """The file up to the piece that has the root's start tag, and the root's tag and attributes."""
        parser = XMLPullParser(events=("start",), **_OPTIONS)
        head = b""
        for piece in self._pieces():
            head += piece
            error = self._feed(parser, piece)
            root = next((root for _, root in parser.read_events()), None)
            has_doctype = (
                root.getroottree().docinfo.internalDTD is not None if root is not None else b"<!DOCTYPE" in head
            )
            if has_doctype and (root is not None or error):
                raise InvalidDataError("a document type (DOCTYPE) is not allowed")
            if root is not None:
                return head, str(root.tag), {str(name): str(value) for name, value in root.items()}
            if error:
                raise error
            self._check_size(None)
        raise self._close(parser) or InvalidDataError("no well-formed XML: it holds no element")

    def _pieces(self) -> Iterator[bytes]:
        while piece := self._source.read(_PIECE, self._position.line):
            yield piece

    def _feed(self, parser: XMLPullParser, piece: bytes) -> InvalidDataError | None:
        self._position.advance(piece)
        self.size += len(piece)
        self._unreleased += len(piece)
        try:
            parser.feed(piece)
        except XMLSyntaxError:
            return self._first_error(parser) or self._unknown_error()
        return self._first_error(parser)

    def _close(self, parser: XMLPullParser) -> InvalidDataError | None:
        try:
            parser.close()
        except XMLSyntaxError as error:
            return self._first_error(parser) or (None if error.code in _HARMLESS else self._unknown_error())
        return None

    def _unknown_error(self) -> InvalidDataError:
        return InvalidDataError(f"line {self._position.line}: no well-formed XML")

    def _first_error(self, parser: XMLPullParser) -> InvalidDataError | None:
        """The first error in the library's log. It does not raise all of them, or only at the end of the file."""
        log = parser.feed_error_log
        for entry in log:
            if entry.type not in _HARMLESS:
                reason = _REASONS.get(entry.type, "something is written in a way that XML does not know")
                near = self._position.text_near(entry.line, entry.column)
                return InvalidDataError(f"line {entry.line}: no well-formed XML: {reason}{near}")
        if len(log) >= _MOST_WARNINGS:
            return InvalidDataError(f"line {log[0].line}: {_MOST_WARNINGS} or more names of namespaces are no URIs")
        return None


class _Position:
    """The last two pieces of the text and their lines, for messages."""

    def __init__(self) -> None:
        self._before = self._piece = b""
        self._first_line = self._piece_line = self.line = 1

    def advance(self, piece: bytes) -> None:
        """Moves `line` to the end of another piece."""
        self._first_line, self._piece_line = self._piece_line, self.line
        self._before, self._piece = self._piece, piece
        self.line += piece.count(b"\n")

    def text_near(self, line: int, column: int) -> str:
        """The text around a place, as the end of a message; empty where it is not at hand."""
        lines = (self._before + self._piece).split(b"\n")
        index = line - self._first_line
        if not 0 <= index < len(lines) or (index == 0 and self._first_line > 1):
            return ""
        text = lines[index][max(0, column - _CONTEXT) : column + _CONTEXT].decode("utf-8", "ignore")
        text = "".join(character if character.isprintable() else " " for character in text).strip()
        return f", near {text!r}" if text else ""


def local_name(element: _Element) -> str:
    """A tag without its namespace."""
    return str(element.tag).rpartition("}")[2]
