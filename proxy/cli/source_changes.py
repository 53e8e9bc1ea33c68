"""The commands `sources publish`, `sources rollback`, `sources set-public` and `sources delete`."""

import sys
from argparse import Namespace
from collections.abc import Awaitable, Callable

from adapters.accounts import AccountRegistry
from adapters.model.jobs import JobRecord
from proxy.cli.accounts import require_account, run_with_accounts
from proxy.cli.errors import CommandError
from proxy.cli.job_operations import finish_job
from proxy.operations.audit import operator_name
from proxy.operations.source_changes import SourceChanges
from proxy.operations.source_views import show_source
from proxy.settings import load_settings


def publish(options: Namespace) -> int:
    """Creates a job that publishes the staged version."""
    return _run(options, lambda changes: changes.publish(options.name))


def roll_back(options: Namespace) -> int:
    """Creates a job that publishes an earlier version again."""
    return _run(options, lambda changes: changes.roll_back(options.name, options.version))


def set_public(options: Namespace) -> int:
    """Creates a job that makes a data source public or private."""
    return _run(options, lambda changes: changes.set_public(options.name, public=options.public == "true"))


def delete(options: Namespace) -> int:
    """Creates a job that deletes a data source, or its staged version, after its name was typed once more."""
    return _run(options, lambda changes: changes.delete(options.name, staging=options.staging), asks=True)


def _run(options: Namespace, change: Callable[[SourceChanges], Awaitable[JobRecord]], *, asks: bool = False) -> int:
    settings = load_settings()

    async def run(accounts: AccountRegistry) -> int:
        account = accounts[require_account(accounts, options.account)]
        if asks:
            _confirm((await show_source(account, options.name)).source.name, options.yes)
        record = await change(SourceChanges(account, settings, operator_name(settings)))
        return await finish_job(account, record, wait=options.wait)

    return run_with_accounts(settings, run)


def _confirm(name: str, typed: str | None) -> None:
    """Asks for the name of what is deleted.

    Raises:
        CommandError: another name was typed, or there is no terminal to ask at.
    """
    if typed is None:
        if sys.stdin is None or not sys.stdin.isatty():
            raise CommandError(f"nothing was deleted: no terminal can ask for the name; add --yes {name}")
        print(f"This deletes {name}. Type its name to go on: ", end="", file=sys.stderr, flush=True)
        typed = sys.stdin.readline().rstrip("\n")
    if typed != name:
        raise CommandError(f"nothing was deleted: {typed[:60]!r} is not the name {name!r}")
