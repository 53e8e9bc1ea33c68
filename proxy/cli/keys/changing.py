"""Runs a command that changes keys in the operator's name."""

from collections.abc import Awaitable, Callable

from adapters.accounts import AccountRegistry
from proxy.bootstrap import storage_options
from proxy.cli.keys.running import run_on_keys
from proxy.keyring.file import parse_keyring
from proxy.operations.audit import operator_name
from proxy.operations.keys.holder import KeyHolder, KeyPlace
from proxy.operations.keys.key_editor import KeyEditor
from proxy.settings import Settings

Change = Callable[[KeyHolder, KeyEditor], Awaitable[int]]
"""What a command does: finds keys by the holder, changes them by the editor; returns the exit status."""


def change_keys(settings: Settings, place: KeyPlace, change: Change, *, wait: bool) -> int:
    """Runs a change of keys and returns its exit status.

    Args:
        settings: those of this process.
        place: where the keys are.
        change: what to do; called again where storage refuses it, with `wait`.
        wait: whether it is repeated while storage refuses it.

    Raises:
        CommandError: storage refuses it.
        OperationError: it can't be done.
    """
    ring = parse_keyring(place.ring_text, importing=True) if place.ring_text else None

    async def work(keys: KeyHolder) -> int:
        entries, maps = ({}, {}) if ring is None else (ring.accounts, ring.maps)
        async with AccountRegistry(entries, storage_options(settings), maps=maps) as accounts:
            return await change(keys, KeyEditor(keys, accounts, operator_name(settings)))

    return run_on_keys(place, work, changes=True, wait=wait)
