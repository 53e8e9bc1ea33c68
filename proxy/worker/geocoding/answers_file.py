"""The answers of a job in one local file: a file for each chunk takes longer to open than to write.

Each chunk is a line with its number and the bytes of its answers, and these, as `encode_answers` writes them.
"""

from collections.abc import Callable
from typing import BinaryIO


class AnswersFile:
    """Appends chunks to a file. `numbers` has those that are in there.

    Args:
        file: the file, open and empty.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.numbers: set[int] = set()

    def append(self, number: int, answers: bytes) -> None:
        """Appends the answers to a chunk."""
        self._file.write(b"%d %d\n%b" % (number, len(answers), answers))
        self.numbers.add(number)

    def flush(self) -> None:
        """Lets other processes read all that was appended."""
        self._file.flush()


def open_answers(file: BinaryIO) -> Callable[[int], bytes | None]:
    """What reads the answers to a chunk by its number; it gives None for one that the file lacks."""
    places: dict[int, tuple[int, int]] = {}
    while head := file.readline():
        number, size = map(int, head.split())
        places[number] = file.tell(), size
        file.seek(size, 1)

    def read(number: int) -> bytes | None:
        place = places.get(number)
        if place is None:
            return None
        file.seek(place[0])
        return file.read(place[1])

    return read
