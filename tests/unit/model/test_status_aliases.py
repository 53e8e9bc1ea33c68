"""Every word that writers of rows use is understood, whatever its letter case."""

import pytest

from adapters.model.jobs import JobStatus
from adapters.model.status_aliases import STATUS_WORDS, status_of

PENDING = ["Pending", "Queued", "NotStarted", "Running", "InProgress", "Accepted", "Created"]
COMPLETED = ["Completed", "Succeeded", "Success"]
ABORTED = ["Aborted", "Failed", "Cancelled", "Canceled", "TimedOut", "Error"]
WORDS = [
    *((word, JobStatus.PENDING) for word in PENDING),
    *((word, JobStatus.COMPLETED) for word in COMPLETED),
    *((word, JobStatus.ABORTED) for word in ABORTED),
]


@pytest.mark.parametrize(("word", "status"), WORDS)
def test_a_word_means_what_the_stored_rows_say(word: str, status: JobStatus) -> None:
    assert {status_of(form) for form in (word, word.lower(), word.upper(), word.swapcase())} == {status}


def test_there_are_no_other_words() -> None:
    assert set(STATUS_WORDS) == {word.lower() for word, _ in WORDS}


@pytest.mark.parametrize("word", ["", "Exploded", "Pending ", "In Progress", "Compl\u0117ted"])
def test_an_unknown_word_means_nothing(word: str) -> None:
    assert status_of(word) is None
