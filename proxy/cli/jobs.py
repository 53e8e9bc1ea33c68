"""The commands `jobs put`, `jobs list` and `jobs import`."""

import sys
from argparse import Namespace
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from adapters.accounts import AccountRegistry
from adapters.model.jobs import JobRecord
from adapters.tables.job_transactions import MAX_RECORDS
from proxy.cli.accounts import account_name, require_account, run_with_accounts
from proxy.cli.errors import CommandError
from proxy.cli.job_json import JobLinesError, read_lines, write_line
from proxy.migration.job_list_import import ImportListError, changes, records_of
from proxy.settings import load_settings
from proxy.wire.parser import ParseError, parse_response


def put_jobs(options: Namespace) -> int:
    """Writes the job rows of a file of JSON lines, or none where a line is wrong."""

    async def put(accounts: AccountRegistry) -> int:
        file = options.file
        try:
            lines = _read(file).decode("utf-8-sig").splitlines()
            jobs = read_lines(lines, accounts.names, account_name(accounts, options.account))
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

    return run_with_accounts(load_settings(), put)


def list_jobs(options: Namespace) -> int:
    """Prints the jobs of one account or of all, a line of JSON each, as `jobs put` takes them."""

    async def write(accounts: AccountRegistry) -> int:
        name = account_name(accounts, options.account)
        for each in [name] if name else accounts.names:
            async for record in accounts[each].jobs.iterate():
                print(write_line(each, record))
        return 0

    return run_with_accounts(load_settings(), write)


def import_jobs(options: Namespace) -> int:
    """Writes the rows of a job list saved from Bing, in JSON or XML. Existing jobs stay as they are."""

    async def run(accounts: AccountRegistry) -> int:
        name, file = require_account(accounts, options.account), options.file
        try:
            envelope = parse_response(_read(file))
            records = records_of(envelope, name)
        except (ParseError, ImportListError) as error:
            raise CommandError(f"{file}: {error}") from None
        with tqdm(total=len(records), unit=" jobs", desc="looking up", disable=None, leave=False) as progress:
            new = await changes(records, accounts[name].jobs, progress.update)
        await _write(accounts, {name: new})
        print(f"{len(new)} jobs written, {len(records) - len(new)} already there")
        return 0

    return run_with_accounts(load_settings(), run)


async def _write(accounts: AccountRegistry, by_account: dict[str, list[JobRecord]]) -> None:
    total = sum(len(records) for records in by_account.values())
    # `None` shows progress on a terminal only; standard error, so that a pipe gets the result alone.
    with tqdm(total=total, unit=" jobs", desc="writing", disable=None, leave=False) as progress:
        for name, records in by_account.items():
            store = accounts[name].jobs
            await store.create_table()
            for start in range(0, len(records), MAX_RECORDS):
                chunk: Sequence[JobRecord] = records[start : start + MAX_RECORDS]
                await store.upsert(chunk)
                progress.update(len(chunk))


def _read(file: str) -> bytes:
    if file == "-":
        return b"" if sys.stdin is None else sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from None
