"""The lines of a text in UTF-8, about a megabyte at a time."""

import codecs
from collections.abc import Iterator
from typing import IO

from proxy.formats.columns.buffers import count_line_ends
from proxy.formats.limits import MAX_RECORD_BYTES
from proxy.formats.schema import InvalidDataError

PIECE_BYTES = 1024 * 1024
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_WINDOWS_ONLY = range(0x80, 0xA0)
"""Bytes that are letters and signs in Windows-1252, and controls in Latin-1."""


class LineReader:
    """Reads blocks of whole lines; `number` counts the lines that a caller has processed.

    Every line has a line end, the last one too. Of a line above MAX_RECORD_BYTES only the start is kept, one byte more
    than the limit.
    """

    def __init__(self, data: IO[bytes]) -> None:
        self._blocks = _split_blocks(_decode_pieces(data))
        self.number = 0

    def read(self) -> bytes:
        """The next block, empty at the end."""
        return next(self._blocks, b"")


def _decode_pieces(data: IO[bytes]) -> Iterator[bytes]:
    """The bytes without a byte order mark, in UTF-8 where the mark means UTF-16."""
    piece = data.read(PIECE_BYTES)
    encoding = _UTF16.get(piece[:2])
    if encoding:
        yield from _decode_utf16(data, piece[2:], encoding)
        return
    while piece.startswith(codecs.BOM_UTF8):  # some programs write a second one before the first
        piece = piece.removeprefix(codecs.BOM_UTF8)
    while piece:
        yield piece
        piece = data.read(PIECE_BYTES)


def _decode_utf16(data: IO[bytes], piece: bytes, encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    lines, ended = 0, False
    while not ended:
        ended = not piece
        try:
            text = decoder.decode(piece, final=ended)
        except UnicodeDecodeError as error:
            read = error.object[: error.start].decode(encoding)
            line = lines + count_line_ends(read.encode()) + 1
            raise InvalidDataError(f"line {line}: the text is not UTF-16, as its byte order mark says") from error
        decoded = text.encode()
        lines += count_line_ends(decoded)
        yield decoded
        piece = data.read(PIECE_BYTES)


def _split_blocks(pieces: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        rest += piece
        # In text whose lines end in CR, the last CR may be half of a CRLF.
        end = rest.rfind(b"\n") + 1 or rest.rfind(b"\r", 0, -1) + 1
        if end:
            yield rest[:end]
            rest = rest[end:]
        elif len(rest) > MAX_RECORD_BYTES:
            rest = rest[: MAX_RECORD_BYTES + 1] + rest[-1:]  # the last byte may be that half
    if rest:
        yield rest if rest.endswith((b"\n", b"\r")) else rest + b"\n"


def check_encoding(text: bytes, line: int) -> None:
    """Checks that lines are UTF-8; `line` is the number of the first.

    Raises:
        InvalidDataError: the text is not UTF-8; its cause is the UnicodeDecodeError.
    """
    try:
        text.decode()
    except UnicodeDecodeError as error:
        wrong = text[error.start]
        likely = "Windows-1252" if wrong in _WINDOWS_ONLY else "Windows-1252 or Latin-1"
        raise InvalidDataError(
            f"line {line + count_line_ends(text, 0, error.start)}: the byte 0x{wrong:02X} is not UTF-8; "
            f"the text is probably in {likely}: save it as UTF-8"
        ) from error
