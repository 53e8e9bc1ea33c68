"""The page of jobs: filters, and pages by the id at which they begin."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from adapters.errors import StorageError
from adapters.model.jobs import JobRecord, JobStatus, JobType
from adapters.model.ticks import PER_SECOND, Ticks
from adapters.tables.job_history import BrokenJob
from proxy.console.context import console_of
from proxy.console.errors import PageNotFoundError
from proxy.console.pages.job_filters import JobSearch, read_search
from proxy.console.paths import build_query, job_path
from proxy.console.rendering import is_fragment, redirect, render
from proxy.console.routing import page
from proxy.operations.job_pages import MOST_LOOKED_AT, ONE_OF_MANY_SECONDS, AccountJob, list_job_page
from proxy.operations.masking import mask_secrets
from proxy.operations.reading_time import bound_reading

LONGEST_MESSAGE = 160
"""Characters of a message that are shown."""

# Of a name. The table shows less of it.
LONGEST_NAME = 400

# As many are looked at for secrets, since what is masked gets shorter.
MASKED_CHARACTERS = 4000


@dataclass(frozen=True, slots=True)
class JobLine:
    """A line of the table. `record` is None where the row can't be read; `text` says why then, else it is the message.

    `source` is the data source's name, `seconds` is how long the job took, or takes so far.
    """

    account: str
    id: str
    path: str
    record: JobRecord | None
    source: str
    seconds: float | None
    text: str


async def show_jobs(request: Request) -> Response:
    """A page of jobs, or the page of one job where its id is searched for."""
    accounts, search = console_of(request).accounts, read_search(request.query_params)
    if search.account and search.account not in accounts.names:
        raise PageNotFoundError("The key ring has no account of this name.")
    names = [search.account] if search.account else accounts.names
    is_first = search.start.before is None and search.start.after is None
    if search.filter.text and is_first and not is_fragment(request):
        target = await _find_one(request, names, search.filter.text)
        if target is not None:
            return redirect(target)
    if search.problems:
        return _render(request, search, status=400, page=None)
    found = await list_job_page(accounts, names, search.filter, search.start)
    if search.start.after is not None and found.newer is None:
        return redirect(_url(search))
    return _render(
        request,
        search,
        page=found,
        lines=[_line(request, each) for each in found.jobs],
        failures=dict(sorted(found.failures.items())),
        most=MOST_LOOKED_AT,
        newest=_url(search),
        newer=found.newer and _url(search, after=found.newer),
        older=found.older and _url(search, before=found.older),
        is_first=is_first,
    )


def _render(request: Request, search: JobSearch, *, status: int = 200, **values: object) -> Response:
    return render(request, "jobs.html", status=status, search=search, types=JobType, statuses=JobStatus, **values)


async def _find_one(request: Request, names: Sequence[str], text: str) -> str | None:
    """The page of the one job that has this text as its id."""
    accounts = console_of(request).accounts

    async def find(name: str) -> str | None:
        try:
            async with bound_reading(ONE_OF_MANY_SECONDS):
                return await accounts[name].jobs.find_id(text)
        except StorageError:
            return None  # the list says what is wrong with the account

    ids = await asyncio.gather(*(find(name) for name in names))
    found = [job_path(name, job_id) for name, job_id in zip(names, ids, strict=True) if job_id is not None]
    return found[0] if len(found) == 1 else None


def _line(request: Request, each: AccountJob) -> JobLine:
    job, path = each.job, job_path(each.account, each.id)
    if isinstance(job, BrokenJob):
        text = f"The row can't be read: {mask_secrets(job.problem)}."
        return JobLine(each.account, each.id, path, None, "", None, text)
    now = console_of(request).accounts[each.account].clock.now()
    message = _cut(mask_secrets((job.error_message or "")[:MASKED_CHARACTERS]))
    source = mask_secrets((job.data_source_name or "")[:LONGEST_NAME])
    return JobLine(each.account, each.id, path, job, source, seconds_of(job, now), message)


def seconds_of(record: JobRecord, now: Ticks) -> float | None:
    """How long a job took from its creation, or takes so far; None where its row does not say it."""
    end = now if record.status is JobStatus.PENDING else record.completed
    return None if end is None else max(0, end - record.created) / PER_SECOND


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]} ..."


def _url(search: JobSearch, **start: str | None) -> str:
    return f"/jobs{build_query({**search.fields, **start})}"


ROUTES = (page("/jobs", show_jobs),)
