"""The key ring in use: the one of the start, or the last good one that its file held since."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from adapters.accounts import Accounts
from proxy.keyring import KeyRing
from proxy.keyring_file import fingerprint_of, parse_keyring, read_keyring
from proxy.settings import SettingsError

log = logging.getLogger(__name__)

# A change is to be in force within five seconds, in each process.
LOOK_SECONDS = 1.0


class RingInUse:
    """A key ring and its opened accounts, replaced together."""

    def __init__(self, keyring: KeyRing, accounts: Accounts) -> None:
        self.keyring = keyring
        self.accounts = accounts

    async def replace(self, keyring: KeyRing, grace_seconds: float) -> None:
        """Puts another ring in force at once; accounts that it no longer has are closed a little later."""
        before, self.accounts = self.accounts, self.accounts.changed(keyring.accounts)
        self.keyring = keyring
        await asyncio.sleep(grace_seconds)
        await before.close(but=self.accounts)


async def watch(
    path: Path, ring: RingInUse, grace_seconds: float, prepare: Callable[[Accounts], Awaitable[None]]
) -> None:
    """Follows a key ring file for ever. A file that is broken or gone is told once; the last good ring stays.

    The text is compared, not the file's time: a mounted secret changes by a link, an edit may keep the time.
    """
    seen: bytes | None = ring.keyring.fingerprint
    leaving: set[asyncio.Task[None]] = set()
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        text = await asyncio.to_thread(_text, path)
        found = None if text is None else fingerprint_of(text)
        if found == seen:
            continue
        seen = found
        try:
            keyring = parse_keyring(read_keyring(path) if text is None else text)
        except SettingsError as error:
            log.warning("key ring: the changed file is refused, the last good ring stays: %s", error)
            continue
        task = asyncio.create_task(ring.replace(keyring, grace_seconds))
        leaving.add(task)
        task.add_done_callback(leaving.discard)
        await asyncio.sleep(0)  # the ring is in force before anybody is told
        log.info("key ring: changed, %s accounts and %s keys", len(keyring.accounts), len(keyring.grants))
        await prepare(ring.accounts)


def _text(path: Path) -> str | None:
    try:
        return read_keyring(path)
    except SettingsError:
        return None
