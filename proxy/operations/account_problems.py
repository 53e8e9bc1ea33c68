"""What is wrong with an account, a sentence each, and what to do."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from adapters.errors import StorageError
from proxy.observability.load_needs import Finding
from proxy.operations.durations import describe_seconds
from proxy.operations.ending_keys import EndingKey
from proxy.operations.job_counts import JobCounts
from proxy.operations.overview_parts import AccountParts, Part, PartError

STUCK_SECONDS = 3600.0
"""The age of an unfinished job from which the alert JobsStuck fires."""


class Level(IntEnum):
    """How bad a problem is; the worst first."""

    BROKEN = 0
    ATTENTION = 1


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """A problem: a sentence, what to do, and the part of the account that has it."""

    level: Level
    text: str
    advice: str
    part: str = "storage"


def unopened(error: StorageError) -> Problem:
    """The problem of an account that can't be opened."""
    return Problem(Level.BROKEN, f"The account can't be opened: {error}.", _sentence(error.code.value.hint))


def find_problems(parts: AccountParts) -> tuple[Problem, ...]:
    """What is wrong, the worst first."""
    workers, jobs = parts.workers.value, parts.jobs.value
    found = [*_unread(parts), *_missing(parts.storage)]
    if workers is not None and not any(each.is_live for each in workers):
        found.append(_no_worker((parts.queue.value or 0) + (jobs.unfinished if jobs else 0)))
    if jobs is not None:
        found += _of_jobs(jobs)
    found += _of_keys(parts.keys.value or ())
    return tuple(sorted(found, key=lambda problem: problem.level))


def _unread(parts: AccountParts) -> Iterator[Problem]:
    """One problem for each error: storage that is away is one, and not one of each part."""
    read: list[tuple[str, Part[Any] | None]] = [
        *parts.storage.items(),
        ("workers", parts.workers),
        ("queue", parts.queue),
    ]
    read += [("jobs", parts.jobs), ("keys", parts.keys), ("usage", parts.usage)]
    same: dict[PartError, list[str]] = {}
    for name, part in read:
        if part is not None and part.error is not None and name not in (names := same.setdefault(part.error, [])):
            names.append(name)
    for error, names in same.items():
        what = _join(names)
        text = f"{what[0].upper()}{what[1:]} can't be read: {error.text}."
        yield Problem(Level.BROKEN, text, _sentence(error.advice))


def _missing(storage: Mapping[str, Part[list[Finding]]]) -> Iterator[Problem]:
    for name, part in storage.items():
        for finding in part.value or ():
            if finding.is_missing:
                text = f"Loads need {name}: {finding.text}."
                yield Problem(Level.ATTENTION, text, "Start serve with an identity that may create it, or create it.")


def _no_worker(waiting: int) -> Problem:
    advice = "Start one: python -m proxy worker. Its log says whether it has this account."
    if waiting:
        return Problem(Level.BROKEN, "No worker is alive, and jobs are waiting.", advice, "workers")
    return Problem(Level.ATTENTION, "No worker is alive. A load would wait.", advice, "workers")


def _of_jobs(counts: JobCounts) -> Iterator[Problem]:
    if counts.oldest_seconds is not None and counts.oldest_seconds > STUCK_SECONDS:
        text = f"The oldest unfinished job is {describe_seconds(counts.oldest_seconds)} old."
        advice = (
            "Open the job to see its worker and its attempts. No worker here runs a job that another program wrote:"
            " end it where it is not needed."
        )
        yield Problem(Level.ATTENTION, text, advice, "unfinished")
    if counts.aborted:
        text = f"{counts.aborted:,} jobs were" if counts.aborted > 1 else "A job was"
        advice = "Each job shows why. Remove the cause, then try the job again."
        yield Problem(Level.ATTENTION, f"{text} aborted in the last 24 hours.", advice, "aborted")


def _of_keys(keys: Sequence[EndingKey]) -> Iterator[Problem]:
    if not keys:
        return
    first, others = keys[0], len(keys) - 1
    text = f"The key {first.name} {'ended' if first.seconds < 0 else 'ends'} {_days(first.seconds)}"
    text += f", and {others} more {'ends' if others == 1 else 'end'} soon." if others else "."
    advice = "After its end the server refuses it. Add another key for its users, then revoke this one."
    yield Problem(Level.ATTENTION, text, advice, "keys")


def _days(seconds: float) -> str:
    days = abs(seconds) / 86_400
    span = f"{days:.0f} days" if days >= 2 else f"{days * 24:.0f} hours"  # noqa: PLR2004 - two days
    return f"{span} ago" if seconds < 0 else f"in {span}"


def _join(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
