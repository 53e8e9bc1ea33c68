"""The bytes of an XML file as UTF-8, whatever encoding its byte order mark or its declaration names."""

import codecs
import io
import re
from typing import IO

from proxy.formats.code_pages import find_code_page
from proxy.formats.schema import InvalidDataError

_HEAD = 1024
_SHOWN = 50
_DECLARED = re.compile(rb"<\?xml\s[^>]{0,300}?\bencoding\s*+=\s*+[\"']([^\"'>]*+)")
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16", b"<\0": "utf-16-le", b"\0<": "utf-16-be"}
_NOTHING_PENDING = (b"", 0)


class Utf8Stream:
    """A file for a parser that expects UTF-8, and lines that end in LF.

    Raises:
        InvalidDataError: the file is no XML, or in an unknown encoding.
    """

    def __init__(self, data: IO[bytes]) -> None:
        self._data = data
        self._head = data.read(_HEAD)
        _refuse_other(self._head)
        self._encoding = _detect_encoding(self._head)
        self._decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(self._encoding)(), translate=True)

    def read(self, size: int, line: int) -> bytes:
        """About `size` bytes; none at the end.

        Args:
            size: the number of bytes to read from the file.
            line: the line in which the text so far ends, for the message.

        Raises:
            InvalidDataError: a byte is not in the encoding.
        """
        while True:
            piece, self._head = self._head + self._data.read(size - len(self._head)), b""
            text = self._to_utf8(piece, line)
            if text or not piece:
                return text

    def _to_utf8(self, piece: bytes, line: int) -> bytes:
        is_utf8 = self._encoding == "utf-8"
        is_same = is_utf8 and b"\r" not in piece and self._decoder.getstate() == _NOTHING_PENDING
        if is_same and piece.isascii() and piece:
            return piece
        try:
            text = self._decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            line += error.object[: error.start].count(b"\n")
            wrong = f"line {line}: the byte 0x{error.object[error.start]:02X} is not {self._encoding.upper()}"
            hint = (
                "; the text is probably in Windows-1252: save it as UTF-8, or name its encoding in the declaration"
                if is_utf8
                else ", which the file says it is"
            )
            raise InvalidDataError(wrong + hint) from error
        return piece if is_same and self._decoder.getstate() == _NOTHING_PENDING else text.encode()


def _refuse_other(head: bytes) -> None:
    if not head.strip():
        raise InvalidDataError("the data is empty")
    start = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if not start.startswith(b"<") and head[:2] not in _UTF16:
        text = start[:_SHOWN].decode("utf-8", "replace")
        raise InvalidDataError(f"the data is no XML: it begins with {text!r}, not with <")


def _detect_encoding(head: bytes) -> str:
    """Python's name. A declaration of UTF-16 that can be read byte by byte is wrong: .NET writes such into text."""
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8"
    if head[:2] in _UTF16:
        return _UTF16[head[:2]]
    declared = _DECLARED.match(head.lstrip())
    if declared is None:
        return "utf-8"
    name = declared[1].decode("ascii", "replace").strip()
    found = "utf-16" if name.lower().startswith(("utf-16", "utf16", "ucs-2", "unicode")) else find_code_page(name)
    if found is None:
        raise InvalidDataError(
            f"the XML declaration names the encoding {name[:_SHOWN]}, which is not known; save it as UTF-8"
        )
    return "utf-8" if found in {"ascii", "utf-16", "utf-16-le", "utf-16-be"} else found
