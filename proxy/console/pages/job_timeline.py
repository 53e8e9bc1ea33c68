"""A job's life, step by step."""

from dataclasses import dataclass

from adapters.model.jobs import JobStatus
from adapters.model.ticks import PER_SECOND, Ticks
from proxy.operations.job_report import JobReport

OF_ANOTHER_PROGRAM = "Another program wrote this job, so no worker here runs it. End it where it is not needed."


@dataclass(frozen=True, slots=True)
class Step:
    """A step in a job's life: when it was, how long it lasted in seconds, and what to know about it."""

    name: str
    when: Ticks | None
    seconds: float | None
    about: str = ""


def list_steps(report: JobReport, now: Ticks) -> list[Step]:
    """A job's life so far: created, taken, ended or still running."""
    detail = report.detail
    if detail is None:
        return []
    record, started = detail.record, detail.started
    is_pending = record.status is JobStatus.PENDING
    steps = [
        Step(
            "Created",
            record.created,
            None,
            "The request that creates it is not finished." if record.unconfirmed else "",
        )
    ]
    if started is not None:
        steps.append(Step("Taken", started, _between(record.created, started), _worker(report)))
    last = started or record.created
    if not is_pending:
        steps.append(Step(record.status.value, record.completed, _between(last, record.completed)))
    else:
        name = "Waits for a worker" if started is None else "Runs"
        about = "" if detail.is_ours else OF_ANOTHER_PROGRAM
        steps.append(Step(name, None, _between(last, now), about))
    return steps


def _between(start: Ticks, end: Ticks | None) -> float | None:
    return None if end is None else max(0, end - start) / PER_SECOND


def _worker(report: JobReport) -> str:
    """The worker that took the job, and whether it lives."""
    detail = report.detail
    if detail is None or detail.worker is None:
        return ""
    attempt = f"Attempt {detail.attempts} by" if detail.attempts else "By"
    text = f"{attempt} worker {detail.worker}."
    if detail.record.status is not JobStatus.PENDING:
        return text
    if report.worker is None or not report.worker.is_live:
        return f"{text} It gives no sign of life. Another worker takes the job when the lease ends."
    return f"{text} Its last sign of life was {report.worker.row.age:.0f} s ago."
