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

    def find(self, question: Question) -> Answer | None:
        """The answer; None where its chunk has none.

        Raises:
            InvalidCheckpointError: another version wrote the checkpoint.
        """
        slot, _ = self._plan.add(question)
        answers = self._recent.pop(slot.chunk, None)
        if answers is None:
            answers = decode_answers(self._read(slot.chunk) or b"")
            if len(self._recent) >= _MOST_CHUNKS:
                self._recent.popitem(last=False)
        self._recent[slot.chunk] = answers
        return answers[slot.position] if slot.position < len(answers) else None
