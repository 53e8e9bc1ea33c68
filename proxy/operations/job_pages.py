"""Lists jobs of several accounts by page, the newest first. The work for a page is bounded.

A page begins at a key and not at a number of rows, so that no job is skipped or repeated while others are created.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from adapters.account import AccountStorage
from adapters.accounts import AccountRegistry
from adapters.errors import StorageError
from adapters.model.job_ids import first_id_at, is_row_id
from adapters.model.ticks import LAST, PER_MILLISECOND, Ticks
from adapters.tables.job_history import CLOCK_SKEW, BrokenJob, ListedJob
from adapters.tables.row_keys import behind
from proxy.operations.job_views import JobFilter
from proxy.operations.reading_time import bound_reading

PAGE_ROWS = 50

MOST_LOOKED_AT = 2000
"""Rows of an account that a page looks at, at most."""

ONE_OF_MANY_SECONDS = 3.0
"""The longest that one account keeps the jobs of the others waiting."""


@dataclass(frozen=True, slots=True)
class PageStart:
    """Where a page of jobs begins: before a row's key, or after one, or with the newest job."""

    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class AccountJob:
    """A job's row, and the name of its account."""

    account: str
    job: ListedJob

    @property
    def id(self) -> str:
        """The id of its row."""
        return self.job.row_key


@dataclass(frozen=True, slots=True)
class JobPage:
    """A page of jobs, the newest first.

    Args:
        jobs: the jobs, and the rows that can't be read.
        newer: the key after which the page of newer jobs begins; None: there are none.
        older: the key before which the page of older jobs begins; None: there are none.
        looked_at: the number of rows that were looked at.
        stopped_at: the key down (or up) to which all rows were looked at, where that was the bound of the work.
        left_out: rows that can't be read, and may or may not fit.
        failures: the accounts whose storage can't answer.
    """

    jobs: tuple[AccountJob, ...]
    newer: str | None
    older: str | None
    looked_at: int
    stopped_at: str | None
    left_out: int
    failures: Mapping[str, StorageError]


@dataclass(slots=True)
class _Part:
    """What was read of one account. `end`: the last row that was looked at, where there may be more behind it."""

    account: str
    jobs: list[AccountJob] = field(default_factory=list)
    end: str | None = None
    is_bounded: bool = False
    looked_at: int = 0
    left_out: int = 0
    failure: StorageError | None = None

    def add(self, job: ListedJob, wanted: JobFilter) -> bool:
        """Adds a row if it fits. Returns whether that is enough."""
        self.looked_at += 1
        if isinstance(job, BrokenJob) and not (wanted.is_of_times_only and is_row_id(job.row_key)):
            self.left_out += 1
        elif isinstance(job, BrokenJob) or wanted.matches(job):
            self.jobs.append(AccountJob(self.account, job))
        is_full, self.is_bounded = len(self.jobs) > PAGE_ROWS, self.looked_at >= MOST_LOOKED_AT
        if is_full or self.is_bounded:
            self.end = job.row_key
        return self.end is not None


async def list_job_page(
    accounts: AccountRegistry, names: Sequence[str], wanted: JobFilter, start: PageStart
) -> JobPage:
    """Reads a page of the jobs of these accounts. One that can't answer does not hide the others.

    Args:
        accounts: the accounts of the key ring.
        names: the names of those to list.
        wanted: which jobs.
        start: where the page begins.
    """
    seconds = ONE_OF_MANY_SECONDS if len(names) > 1 else None
    parts = await asyncio.gather(*(_read(accounts, name, wanted, start, seconds) for name in names))
    ascends = start.after is not None
    ends = [part.end for part in parts if part.end is not None]
    # Behind the nearest of these, jobs of one account would come before those of another that were not looked at.
    nearest = (min(ends) if ascends else max(ends)) if ends else None
    jobs = sorted((job for part in parts for job in part.jobs), key=lambda job: job.id, reverse=not ascends)
    if nearest is not None:
        jobs = [job for job in jobs if (job.id <= nearest if ascends else job.id >= nearest)]
    cut = jobs[:PAGE_ROWS]
    # Accounts can have the same id; a page does not end between them.
    cut += [job for job in jobs[PAGE_ROWS:] if job.id == cut[-1].id]
    rest = cut[-1].id if len(jobs) > len(cut) else nearest
    came_from = _origin(start, cut[0].id if cut else None)
    return JobPage(
        jobs=tuple(cut[::-1] if ascends else cut),
        newer=rest if ascends else came_from,
        older=came_from if ascends else rest,
        looked_at=sum(part.looked_at for part in parts),
        stopped_at=nearest if rest == nearest and any(part.is_bounded for part in parts) else None,
        left_out=sum(part.left_out for part in parts),
        failures={part.account: part.failure for part in parts if part.failure is not None},
    )


def _origin(start: PageStart, first: str | None) -> str | None:
    """Where the page begins from which this one was reached."""
    if start.before is not None:
        return first or _shift(start.before, -1)
    return None if start.after is None else first or _shift(start.after, 1)


def _shift(key: str, by: int) -> str:
    """The id before or behind an id, so that a page that begins there has that one; other keys are no jobs."""
    return f"{max(0, int(key, 16) + by):032x}" if is_row_id(key) else key


async def _read(
    accounts: AccountRegistry, name: str, wanted: JobFilter, start: PageStart, seconds: float | None
) -> _Part:
    part = _Part(name)
    try:
        async with bound_reading(seconds), aclosing(_iterate(accounts[name], wanted, start)) as batches:
            async for batch in batches:
                if any(part.add(job, wanted) for job in batch):
                    break
    except StorageError as error:
        part.failure = error
    return part


def _iterate(account: AccountStorage, wanted: JobFilter, start: PageStart) -> AsyncGenerator[Sequence[ListedJob], None]:
    """The account's rows from where the page begins, within the times of the filter."""
    first = first_id_at(Ticks((wanted.since or 0) - CLOCK_SKEW))
    end = None
    if wanted.until is not None:
        end = first_id_at(Ticks(min(wanted.until + CLOCK_SKEW, LAST) + PER_MILLISECOND))
    if start.after is not None:
        return account.jobs.iterate_oldest(max(first, behind(start.after)), end)
    return account.jobs.iterate_newest(first, min(filter(None, (start.before, end)), default=None))
