"""Groups the questions of a job into calls (geocode.md, section 7).

The grouping follows from the questions in their order alone, so that a chunk has the same number at each try.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

import orjson

from adapters.model.geocoding import MAX_ITEMS, ForwardItem, Item
from proxy.formats.geocode.requests import Question

MAX_BYTES = 1024 * 1024
"""Of a chunk's items, roughly; a longer item has a chunk of its own."""
_DIGEST_BYTES = 16


class Slot(NamedTuple):
    """Where the item of a question is: the number of its chunk, from 0, and its position in there."""

    chunk: int
    position: int


@dataclass(slots=True)
class Chunk:
    """The items of one call: all forward or all reverse, in one language."""

    number: int
    language: str
    items: list[Item] = field(default_factory=list)
    size: int = 0
    """Bytes, roughly."""

    @property
    def is_forward(self) -> bool:
        """Whether its items are places to find; otherwise they are locations to describe."""
        return isinstance(self.items[0], ForwardItem)


class ChunkPlan:
    """Assigns each question its slot, equal ones the same. It keeps digests, and the chunks that are not full."""

    def __init__(self) -> None:
        self._slots: dict[bytes, int] = {}
        self._open: dict[tuple[bool, str], Chunk] = {}
        self.chunks = 0
        """The number of chunks so far."""

    @property
    def items(self) -> int:
        """The number of different ones so far."""
        return len(self._slots)

    def add(self, question: Question) -> tuple[Slot, Chunk | None]:
        """The slot of a question, and the chunk that is full without it, if one is."""
        item, language = question.item, question.language
        is_forward = isinstance(item, ForwardItem)
        content = orjson.dumps((is_forward, language, tuple(item)))
        digest = blake2b(content, digest_size=_DIGEST_BYTES).digest()
        known = self._slots.get(digest)
        if known is not None:
            return Slot(*divmod(known, MAX_ITEMS)), None
        full = None
        chunk = self._open.get((is_forward, language))
        if chunk is None or len(chunk.items) == MAX_ITEMS or chunk.size + len(content) > MAX_BYTES:
            full = chunk
            chunk = self._open[is_forward, language] = Chunk(self.chunks, language)
            self.chunks += 1
        self._slots[digest] = chunk.number * MAX_ITEMS + len(chunk.items)
        chunk.items.append(item)
        chunk.size += len(content)
        return Slot(chunk.number, len(chunk.items) - 1), full

    def pop_open(self) -> list[Chunk]:
        """The chunks that no more questions come into, by their numbers."""
        rest = sorted(self._open.values(), key=lambda chunk: chunk.number)
        self._open.clear()
        return rest


def plan_chunks(questions: Iterable[Question], plan: ChunkPlan) -> Iterator[Chunk]:
    """The chunks of a job, each as soon as it is full."""
    for question in questions:
        _, full = plan.add(question)
        if full is not None:
            yield full
    yield from plan.pop_open()
