"""Every status word of other writers is parsed, in any letter case."""

import pytest

from adapters.model.jobs import JobStatus
from adapters.model.status_aliases import STATUS_ALIASES, parse_status

PENDING = ["Pending", "Queued", "NotStarted", "Running", "InProgress", "Accepted", "Created"]
COMPLETED = ["Completed", "Succeeded", "Success"]
ABORTED = ["Aborted", "Failed", "Cancelled", "Canceled", "TimedOut", "Error"]
WORDS = [
    *((word, JobStatus.PENDING) for word in PENDING),
    *((word, JobStatus.COMPLETED) for word in COMPLETED),
    *((word, JobStatus.ABORTED) for word in ABORTED),
]


@pytest.mark.parametrize(("word", "status"), WORDS)
def test_status_word_is_parsed_in_any_letter_case(word: str, status: JobStatus) -> None:
    assert {parse_status(form) for form in (word, word.lower(), word.upper(), word.swapcase())} == {status}


def test_status_words_are_complete() -> None:
    assert set(STATUS_ALIASES) == {word.lower() for word, _ in WORDS}


@pytest.mark.parametrize("word", ["", "Exploded", "Pending ", "In Progress", "Compl\u0117ted"])
def test_unknown_status_word_is_none(word: str) -> None:
    assert parse_status(word) is None
