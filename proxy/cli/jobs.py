"""The commands `jobs put`, `jobs list` and `jobs import`."""

import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from adapters.accounts import AccountRegistry
from adapters.model.jobs import JobRecord
from adapters.tables.job_transactions import TRANSACTION_RECORDS
from proxy.cli.bing_import import ImportListError, changes, records_of
from proxy.cli.errors import CommandError
from proxy.cli.job_json import JobLinesError, read_lines, write_line
from proxy.wire.parser import ParseError, parse_answer


async def put(accounts: AccountRegistry, file: str, account: str | None) -> int:
    """Writes the job rows of a file of JSON lines, or none where a line is wrong."""
    try:
        lines = _content(file).decode("utf-8-sig").splitlines()
        jobs = read_lines(lines, accounts.names, account or _only(accounts))
    except UnicodeDecodeError:
        raise CommandError(f"{file}: is not UTF-8") from None
    except JobLinesError as error:
        raise CommandError("\n".join(f"{file}: {mistake}" for mistake in error.mistakes)) from None
    by_account: dict[str, list[JobRecord]] = defaultdict(list)
    for job in jobs:
        by_account[job.account].append(job.record)
    await _write(accounts, by_account)
    print(f"{len(jobs)} jobs written")
    return 0


async def list_jobs(accounts: AccountRegistry, account: str | None) -> int:
    """Prints the jobs of one account or of all, a line of JSON each, as `jobs put` takes them."""
    for name in [account] if account else accounts.names:
        async for record in accounts[name].jobs.all():
            print(write_line(name, record))
    return 0


async def import_jobs(accounts: AccountRegistry, file: str, account: str | None) -> int:
    """Writes the rows of a job list saved from Bing, in JSON or XML; jobs that are there already stay as they are."""
    name = account or _only(accounts)
    if name is None:
        raise CommandError(f"--account must say which account: {', '.join(accounts.names)}")
    try:
        envelope = parse_answer(_content(file))
        records = records_of(envelope, name)
    except (ParseError, ImportListError) as error:
        raise CommandError(f"{file}: {error}") from None
    with tqdm(total=len(records), unit=" jobs", desc="looking up", disable=None, leave=False) as progress:
        new = await changes(records, accounts[name].jobs, progress.update)
    await _write(accounts, {name: new})
    print(f"{len(new)} jobs written, {len(records) - len(new)} already there")
    return 0


async def _write(accounts: AccountRegistry, by_account: dict[str, list[JobRecord]]) -> None:
    total = sum(len(records) for records in by_account.values())
    # `None` shows progress on a terminal only; standard error, so that a pipe gets the result alone.
    with tqdm(total=total, unit=" jobs", desc="writing", disable=None, leave=False) as progress:
        for name, records in by_account.items():
            store = accounts[name].jobs
            await store.create_table()
            for start in range(0, len(records), TRANSACTION_RECORDS):
                chunk: Sequence[JobRecord] = records[start : start + TRANSACTION_RECORDS]
                await store.put(chunk)
                progress.update(len(chunk))


def _content(file: str) -> bytes:
    if file == "-":
        return b"" if sys.stdin is None else sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from None


def _only(accounts: AccountRegistry) -> str | None:
    names = accounts.names
    return names[0] if len(names) == 1 else None
