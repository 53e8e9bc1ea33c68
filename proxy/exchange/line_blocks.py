"""A text's lines, some thousand at a time, bounded."""

from codecs import BOM_UTF8
from collections.abc import Iterator
from typing import IO

from proxy.exchange.limits import LARGEST_RECORD
from proxy.exchange.schema import UnusableError

_PIECE = 1024 * 1024


class LineBlocks:
    """Blocks of whole lines, of about a megabyte; `number` counts the lines that were handed out by `take`."""

    def __init__(self, data: IO[bytes]) -> None:
        self._blocks = self._read(data)
        self.number = 0

    def take(self) -> bytes:
        """The next block, empty at the end."""
        return next(self._blocks, b"")

    def lines(self, block: bytes) -> Iterator[str]:
        """The lines of a block, then those of the next ones: who reads them stops when a record has ended.

        Raises:
            UnusableError: the text is not UTF-8, or an entity is too large; `size` is set to 0 as one ends.
        """
        self.size = 0
        while block:
            self.left = len(lines := block.splitlines(keepends=True))
            for line in lines:
                self.number += 1
                self.left -= 1
                self.size += len(line)
                if self.size > LARGEST_RECORD:
                    raise UnusableError(too_large(self.number))
                yield decoded(line)
            block = self.take()

    def _read(self, data: IO[bytes]) -> Iterator[bytes]:
        rest = b""
        read = data.read(_PIECE).removeprefix(BOM_UTF8)
        while read:
            rest += read
            # Where old Macs' carriage returns end the lines, the last one may be half of a pair.
            end = rest.rfind(b"\n") + 1 or rest.rfind(b"\r", 0, -1) + 1
            if end:
                yield rest[:end]
                rest = rest[end:]
            elif len(rest) > LARGEST_RECORD:
                raise UnusableError(too_large(self.number + 1))
            read = data.read(_PIECE)
        if rest:
            yield rest


def too_large(line: int) -> str:
    """What is said of an entity that no memory should hold."""
    return f"line {line}: an entity of more than {LARGEST_RECORD:,} bytes"


def decoded(line: bytes) -> str:
    """The text of a line.

    Raises:
        UnusableError: it is not UTF-8.
    """
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise UnusableError("the text is not UTF-8") from error
