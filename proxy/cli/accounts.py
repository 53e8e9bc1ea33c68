"""Runs a command that works on the accounts of the key ring."""

import asyncio
from collections.abc import Awaitable, Callable

from adapters.accounts import AccountRegistry
from proxy.bootstrap import storage_options
from proxy.cli.errors import CommandError
from proxy.keyring.file import load_keyring
from proxy.observability.logs import configure_logs
from proxy.settings import Settings


def run_with_accounts(settings: Settings, work: Callable[[AccountRegistry], Awaitable[int]]) -> int:
    """Opens the accounts of the key ring, runs `work` on them, and returns the exit status that it returns."""
    keyring = load_keyring(settings)
    configure_logs("warning", "text")

    async def run() -> int:
        async with AccountRegistry(keyring.accounts, storage_options(settings), maps=keyring.maps) as accounts:
            return await work(accounts)

    return asyncio.run(run())


def account_name(accounts: AccountRegistry, name: str | None) -> str | None:
    """Returns the account of `--account`, or the only one; None where there are several and none is named.

    Raises:
        CommandError: the key ring has no account of this name.
    """
    if name is None:
        return accounts.names[0] if len(accounts.names) == 1 else None
    if name not in accounts.names:
        raise CommandError(f"--account: the key ring has no account {name!r}; it has {', '.join(accounts.names)}")
    return name


def require_account(accounts: AccountRegistry, name: str | None) -> str:
    """Returns the account of `--account`, or the only one.

    Raises:
        CommandError: none is named where there are several, or the key ring has no account of this name.
    """
    found = account_name(accounts, name)
    if found is None:
        raise CommandError(f"--account must name one account: {', '.join(accounts.names)}")
    return found
