"""A text's lines, some thousand at a time, as UTF-8 and bounded."""

import codecs
from collections.abc import Iterator
from typing import IO

from proxy.formats.columns.buffers import line_ends
from proxy.formats.limits import LARGEST_RECORD
from proxy.formats.schema import InvalidDataError

_PIECE = 1024 * 1024
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_WINDOWS_ONLY = range(0x80, 0xA0)
"""Bytes that are letters and signs in Windows-1252, and controls in Latin-1."""


class LineReader:
    """Blocks of whole lines, of about a megabyte; `number` counts the lines that were read from them.

    A line that is longer than a record may be keeps no more than its first bytes, one more than the limit.
    """

    def __init__(self, data: IO[bytes]) -> None:
        self._blocks = _whole_lines(_as_utf8(data))
        self.number = 0

    def take(self) -> bytes:
        """The next block, empty at the end."""
        return next(self._blocks, b"")


def _as_utf8(data: IO[bytes]) -> Iterator[bytes]:
    """The bytes without a byte order mark, in UTF-8 where the mark says UTF-16."""
    piece = data.read(_PIECE)
    encoding = _UTF16.get(piece[:2])
    if encoding:
        yield from _from_utf16(data, piece[2:], encoding)
        return
    while piece.startswith(codecs.BOM_UTF8):  # some programs write a second one before the first
        piece = piece.removeprefix(codecs.BOM_UTF8)
    while piece:
        yield piece
        piece = data.read(_PIECE)


def _from_utf16(data: IO[bytes], piece: bytes, encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    lines, ended = 0, False
    while not ended:
        ended = not piece
        try:
            text = decoder.decode(piece, final=ended)
        except UnicodeDecodeError as error:
            read = error.object[: error.start].decode(encoding)
            line = lines + line_ends(read.encode()) + 1
            raise InvalidDataError(f"line {line}: the text is not UTF-16, as its byte order mark says") from error
        made = text.encode()
        lines += line_ends(made)
        yield made
        piece = data.read(_PIECE)


def _whole_lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        rest += piece
        # Where old Macs' carriage returns end the lines, the last one may be half of a pair.
        end = rest.rfind(b"\n") + 1 or rest.rfind(b"\r", 0, -1) + 1
        if end:
            yield rest[:end]
            rest = rest[end:]
        elif len(rest) > LARGEST_RECORD:
            rest = rest[: LARGEST_RECORD + 1] + rest[-1:]  # the last one may be that half
    if rest:
        yield rest


def decode(data: bytes, line: int) -> str:
    """The text of some lines, of which the first has this number.

    Raises:
        UnusableError: they are not UTF-8.
    """
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        wrong = data[error.start]
        likely = "Windows-1252" if wrong in _WINDOWS_ONLY else "Windows-1252 or Latin-1"
        raise InvalidDataError(
            f"line {line + line_ends(data, 0, error.start)}: the byte 0x{wrong:02X} is not UTF-8; "
            f"the text is probably in {likely}: save it as UTF-8"
        ) from error
