"""Detects a streamed file that is cut short: gzip and ZIP say themselves where they end."""

import zlib

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_ZIP_END = b"PK\x05\x06"
_ZIP_END_BYTES = 22
_MAX_COMMENT_BYTES = 65_535
_PIECE_BYTES = 1 << 20


class TruncationDetector:
    """Sees the pieces of a file as they come, in little memory."""

    def __init__(self) -> None:
        self._beginning = b""
        self._tail = b""
        self._inflater: zlib._Decompress | None = None
        self._is_broken = False

    def add(self, piece: bytes) -> None:
        """Sees the next piece."""
        if len(self._beginning) < len(_ZIP):
            self._beginning += piece[: len(_ZIP) - len(self._beginning)]
            if self._inflater is None and self._beginning.startswith(_GZIP):
                # A first piece of one byte is not seen in practice; that file is then taken as it is.
                self._inflater = zlib.decompressobj(wbits=31) if piece.startswith(_GZIP) else None
        if self._inflater is not None:
            self._inflate(piece)
        self._tail = (self._tail + piece)[-(_ZIP_END_BYTES + _MAX_COMMENT_BYTES) :]

    @property
    def is_truncated(self) -> bool:
        """Whether the file begins as gzip or ZIP and lacks its end, or is damaged."""
        if self._inflater is not None:
            return self._is_broken or not self._inflater.eof
        return self._beginning == _ZIP and not self._has_zip_end()

    def _has_zip_end(self) -> bool:
        at = self._tail.rfind(_ZIP_END)
        end = self._tail[at:] if at >= 0 else b""
        return len(end) >= _ZIP_END_BYTES and len(end) - _ZIP_END_BYTES == int.from_bytes(end[20:22], "little")

    def _inflate(self, piece: bytes) -> None:
        """Decompresses, which also tests the checksum; what comes out is dropped."""
        data = piece
        try:
            while data and not self._is_broken and self._inflater is not None:
                if self._inflater.eof:  # another member, or bytes after the end
                    if not data.startswith(_GZIP):
                        return
                    self._inflater = zlib.decompressobj(wbits=31)
                self._inflater.decompress(data, _PIECE_BYTES)
                data = self._inflater.unused_data or self._inflater.unconsumed_tail
        except zlib.error:
            self._is_broken = True
