"""Finds the answers of a job's questions in the checkpoints of its chunks."""

from collections import OrderedDict
from collections.abc import Callable

from adapters.model.geocoding import Answer
from proxy.formats.geocode.checkpoints import decode_answers
from proxy.formats.geocode.chunks import ChunkPlan
from proxy.formats.geocode.requests import Question

_MOST_CHUNKS = 128
"""Held in memory. Rows come in the order of their chunks, but for languages that alternate and for equal items."""


class StoredAnswers:
    """Repeats the plan of a job, question by question in the order of the input.

    Args:
        read: gives the checkpoint of a chunk by its number, as `encode_answers` wrote it; None where there is none.
    """

    def __init__(self, read: Callable[[int], bytes | None]) -> None:
        self._read, self._plan = read, ChunkPlan()
        self._recent: OrderedDict[int, list[Answer]] = OrderedDict()
        self._last: tuple[int, list[Answer]] = (-1, [])
        """The chunk found last, and its answers: most rows need the same as the row before."""

    def find(self, question: Question) -> Answer | None:
        """The answer; None where its chunk has none.

        Raises:
            InvalidCheckpointError: another version wrote the checkpoint.
        """
        (chunk, position), _ = self._plan.add(question)
        last, answers = self._last
        if chunk != last:
            answers = self._find_chunk(chunk)
            self._last = chunk, answers
        return answers[position] if position < len(answers) else None

    def _find_chunk(self, chunk: int) -> list[Answer]:
        answers = self._recent.pop(chunk, None)
        if answers is None:
            answers = decode_answers(self._read(chunk) or b"")
            if len(self._recent) >= _MOST_CHUNKS:
                self._recent.popitem(last=False)
        self._recent[chunk] = answers
        return answers
