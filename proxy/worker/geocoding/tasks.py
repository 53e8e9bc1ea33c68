"""The tasks of a geocode job in a reader process, with their files and results.

Imports nothing that reads data, so that the worker itself loads none of it.
"""

from dataclasses import dataclass
from typing import ClassVar

# Files in the job's directory, beside the data.
SUCCEEDED = "succeeded"
FAILED = "failed"
ANSWERS = "answers"
"""As `AnswersFile` writes it."""

GROUP_CHUNKS = 50
"""Chunks of one file of items."""


@dataclass(frozen=True, slots=True)
class PlanTask:
    """Read all of DATA and write the items to ask, in files of at most GROUP_CHUNKS. The result is a `PlannedItems`."""

    kind: ClassVar[str] = "geocode plan"
    folder: str
    input_format: str
    most_rows: int
    most_bytes: int


@dataclass(frozen=True, slots=True)
class PlannedItems:
    """What a job asks: its rows, the different items of these, and the numbers of the chunks in each file."""

    rows: int
    items: int
    groups: list[list[int]]


@dataclass(frozen=True, slots=True)
class OutputTask:
    """Write SUCCEEDED and FAILED of DATA and ANSWERS. An output without rows stays empty. There is no result."""

    kind: ClassVar[str] = "geocode outputs"
    folder: str
    input_format: str
    most_rows: int
    most_bytes: int
    job_id: str


def items_file(group: int) -> str:
    """The file with a group of chunks, each a line as `encode_chunk` writes it."""
    return f"items-{group:06d}.jsonl"
