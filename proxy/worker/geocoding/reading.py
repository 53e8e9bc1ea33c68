"""The parts of a geocode job that parse the customer's data. They run in a reader process."""

from collections.abc import Iterator
from pathlib import Path

from proxy.formats.geocode.checkpoints import encode_chunk
from proxy.formats.geocode.chunks import ChunkPlan, plan_chunks
from proxy.formats.geocode.job_files import RequestFormat, open_requests, write_outputs
from proxy.formats.geocode.requests import Question, Row
from proxy.formats.geocode.stored_answers import StoredAnswers
from proxy.formats.limits import LoadLimits
from proxy.worker.geocoding.answers_file import open_answers
from proxy.worker.geocoding.tasks import (
    ANSWERS,
    FAILED,
    GROUP_CHUNKS,
    SUCCEEDED,
    OutputTask,
    PlannedItems,
    PlanTask,
    items_file,
)
from proxy.worker.reader_tasks import DATA, ReportProgress


def plan_items(task: PlanTask, _report: ReportProgress) -> PlannedItems:
    """Reads the whole file, so that a bad one costs nothing, and writes what to ask.

    Raises:
        InvalidDataError: the file can't be read, or is larger than allowed.
    """
    folder, plan, rows = Path(task.folder), ChunkPlan(), 0
    groups: list[list[int]] = []

    def questions(found: Iterator[Row]) -> Iterator[Question]:
        nonlocal rows
        for rows, row in enumerate(found, 1):  # noqa: B007  the last number counts
            if row.question is not None:
                yield row.question

    limits = LoadLimits(task.most_rows, task.most_bytes)
    with open_requests(folder / DATA, RequestFormat(task.input_format), limits) as requests:
        for chunk in plan_chunks(questions(requests.rows), plan):
            if not groups or len(groups[-1]) == GROUP_CHUNKS:
                groups.append([])
            groups[-1].append(chunk.number)
            with (folder / items_file(len(groups) - 1)).open("ab") as file:
                file.write(encode_chunk(chunk))
    return PlannedItems(rows, plan.items, groups)


def write_job_outputs(task: OutputTask, report: ReportProgress) -> None:
    """Writes both outputs; reports the counts at the end.

    Raises:
        InvalidDataError: the file can't be read.
    """
    folder, limits = Path(task.folder), LoadLimits(task.most_rows, task.most_bytes)

    with (
        (folder / ANSWERS).open("rb") as answers,
        open_requests(folder / DATA, RequestFormat(task.input_format), limits) as requests,
        (folder / SUCCEEDED).open("wb") as succeeded,
        (folder / FAILED).open("wb") as failed,
    ):
        counts = write_outputs(requests, StoredAnswers(open_answers(answers)).find, succeeded, failed, task.job_id)
    report(counts.total, counts.failed)
