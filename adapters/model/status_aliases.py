"""The status words of Data Factory, Functions and scripts, in any letter case, and what each means."""

from adapters.model.jobs import JobStatus

STATUS_ALIASES = {
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


def parse_status(word: str) -> JobStatus | None:
    """The status that a stored word means, None for an unknown word."""
    return STATUS_ALIASES.get(word.lower())
