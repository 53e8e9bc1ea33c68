"""The status words that writers of job rows use, and what each means.

Data Factory, Functions and scripts each have their own words; all are read, whatever their letter case.
"""

from adapters.model.jobs import JobStatus

STATUS_WORDS = {
    "pending": JobStatus.PENDING,
    "queued": JobStatus.PENDING,
    "notstarted": JobStatus.PENDING,
    "running": JobStatus.PENDING,
    "inprogress": JobStatus.PENDING,
    "accepted": JobStatus.PENDING,
    "created": JobStatus.PENDING,
    "completed": JobStatus.COMPLETED,
    "succeeded": JobStatus.COMPLETED,
    "success": JobStatus.COMPLETED,
    "aborted": JobStatus.ABORTED,
    "failed": JobStatus.ABORTED,
    "cancelled": JobStatus.ABORTED,
    "canceled": JobStatus.ABORTED,
    "timedout": JobStatus.ABORTED,
    "error": JobStatus.ABORTED,
}


def status_of(word: str) -> JobStatus | None:
    """What a stored status word means, None for a word that is not in the table."""
    return STATUS_WORDS.get(word.lower())
