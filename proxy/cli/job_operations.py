"""The commands `jobs show`, `jobs retry` and `jobs abort`."""

import sys
from argparse import Namespace
from collections.abc import Awaitable, Callable

from adapters.account import AccountStorage
from adapters.accounts import AccountRegistry
from adapters.model.jobs import JobRecord, JobStatus
from adapters.model.ticks import format_ticks
from proxy.cli.accounts import account_name, run_with_accounts
from proxy.cli.job_json import job_members, write_line
from proxy.cli.output import is_terminal, print_members, print_text
from proxy.operations.audit import operator_name
from proxy.operations.job_changes import abort_job, retry_job, wait_for_job
from proxy.operations.job_views import FoundJob, find_job, show_job
from proxy.settings import Settings, load_settings


def show_job_row(options: Namespace) -> int:
    """Prints everything about a job."""

    async def show(found: FoundJob, _: Settings) -> int:
        detail = await show_job(found)
        print_members(
            {
                **job_members(detail.account, detail.record),
                "StartedDate": None if detail.started is None else format_ticks(detail.started),
                "Attempts": detail.attempts or None,
                "Worker": detail.worker,
                "Request": detail.request or None,
                "CanRetry": detail.refusal or True,
            }
        )
        return 0

    return _run(options, show)


def retry_jobs(options: Namespace) -> int:
    """Makes an Aborted job Pending again. Returns 1 where it was waited for and is Aborted again."""

    async def retry(found: FoundJob, settings: Settings) -> int:
        record = await retry_job(found, operator_name(settings))
        return await finish_job(found.account, record, wait=options.wait)

    return _run(options, retry)


def abort_jobs(options: Namespace) -> int:
    """Makes a Pending job Aborted."""

    async def abort(found: FoundJob, settings: Settings) -> int:
        print_job(found.account, await abort_job(found, operator_name(settings)))
        return 0

    return _run(options, abort)


async def finish_job(account: AccountStorage, record: JobRecord, *, wait: bool) -> int:
    """Prints a job that was created, after its end where `wait` says so. Returns 1 if it is Aborted then."""
    record = await wait_for_job(account, record.row_key) if wait else record
    print_job(account, record)
    return int(record.status is JobStatus.ABORTED)


def print_job(account: AccountStorage, record: JobRecord) -> None:
    """Prints what has become of a job."""
    if not is_terminal():
        print(write_line(account.name, record))
        return
    of = f" of {record.data_source_name}" if record.data_source_name else ""
    why = f": {record.error_message}" if record.error_message else ""
    print_text(f"{record.row_key}  {record.job_type}{of} is {record.status.value}{why}")


def _run(options: Namespace, work: Callable[[FoundJob, Settings], Awaitable[int]]) -> int:
    settings = load_settings()

    async def run(accounts: AccountRegistry) -> int:
        name = account_name(accounts, options.account)
        for broken, error in () if name else accounts.errors.items():
            print(f"the account {broken} can't be opened: {error}", file=sys.stderr)
        names = [name] if name else [each for each in accounts.names if each not in accounts.errors]
        return await work(await find_job([accounts[each] for each in names], options.id), settings)

    return run_with_accounts(settings, run)
