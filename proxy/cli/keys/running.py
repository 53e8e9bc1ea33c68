"""Runs a command on the keys of a ring, and again while storage refuses it."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable

from proxy.cli.errors import CommandError
from proxy.observability.logs import configure_logs
from proxy.operations.keys.errors import KeyStoreRefusedError
from proxy.operations.keys.holder import KeyHolder, KeyPlace

# A new role takes up to half an hour (keys contract, section 4).
WAIT_SECONDS = 1800.0
RETRY_SECONDS = 5.0

Work = Callable[[KeyHolder], Awaitable[int]]
"""What a command does with the keys; returns the exit status."""


def run_on_keys(place: KeyPlace, work: Work, *, changes: bool = False, wait: bool) -> int:
    """Runs work on the keys and returns its exit status.

    Args:
        place: where the keys are.
        work: what to do; called again where storage refuses it, with `wait`.
        changes: whether it changes keys.
        wait: whether it is repeated while storage refuses it.

    Raises:
        CommandError: storage refuses it.
        OperationError: it can't be done.
    """
    configure_logs("warning", "text")
    return asyncio.run(_repeat_refused(place, work, changes, WAIT_SECONDS if wait else 0.0))


async def _repeat_refused(place: KeyPlace, work: Work, changes: bool, seconds: float) -> int:  # noqa: FBT001 - private
    end, is_first = time.monotonic() + seconds, True
    while True:
        try:
            async with place.open(changes=changes) as keys:
                return await work(keys)
        except KeyStoreRefusedError as error:
            text = str(error)
        if time.monotonic() >= end:
            raise CommandError(text if seconds else f"{text}; --wait repeats this command until then")
        if is_first:
            print(f"{text}; waiting up to {seconds / 60:.0f} minutes", file=sys.stderr, flush=True)
        is_first = False
        await asyncio.sleep(RETRY_SECONDS)
