"""The key ring in use: the one of the start, or the last good one that its file held since."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from adapters.account import AccountStorage
from adapters.accounts import AccountRegistry, close_all
from proxy.keyring.file import fingerprint_of, parse_keyring, read_keyring
from proxy.keyring.keyring import KeyRing
from proxy.settings import SettingsError, variable

log = logging.getLogger(__name__)

# A change is to be in force within five seconds, in each process.
LOOK_SECONDS = 1.0

# A mount that does not answer holds a thread for as long as it likes. So many such threads are left behind, for the
# path may lead elsewhere by now; with one more the watch waits until one of them ends.
READ_SECONDS = 2.0
MOST_HANGING = 5


class ActiveKeyRing:
    """A key ring and its opened accounts, replaced together."""

    def __init__(self, keyring: KeyRing, accounts: AccountRegistry) -> None:
        self.keyring = keyring
        self.accounts = accounts

    def replace(self, keyring: KeyRing) -> list[AccountStorage]:
        """Puts another ring in force; gives the accounts that it no longer has: they may still serve requests."""
        before, self.accounts = self.accounts, self.accounts.with_entries(keyring.accounts)
        self.keyring = keyring
        return before.removed_since(self.accounts)


class RingFile:
    """A key ring's file. Reading one that hangs blocks neither the process nor its end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reading = 0

    async def text(self) -> str | SettingsError:
        """The file's text, or why there is none."""
        if self._reading >= MOST_HANGING:
            return SettingsError(f"{variable('keyring_file')}: key ring: can't be read: it does not answer")
        loop = asyncio.get_running_loop()
        found: asyncio.Future[str | SettingsError] = loop.create_future()

        def read() -> None:
            text = _text(self._path)
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(self._ended, found, text)

        self._reading += 1
        # Not one of the loop's own threads: the loop waits for those before it ends.
        threading.Thread(target=read, daemon=True, name="key ring").start()
        try:
            return await asyncio.wait_for(found, READ_SECONDS)
        except TimeoutError:
            told = f"it does not answer within {READ_SECONDS:g} s"
            return SettingsError(f"{variable('keyring_file')}: key ring: can't be read: {told}")

    def _ended(self, found: "asyncio.Future[str | SettingsError]", text: str | SettingsError) -> None:
        self._reading -= 1
        if not found.done():
            found.set_result(text)


async def reload_on_change(
    path: Path,
    ring: ActiveKeyRing,
    grace_seconds: float,
    prepare: Callable[[AccountRegistry], Awaitable[object]],
    counted: Callable[[str], None] | None = None,
) -> None:
    """Follows a key ring file for ever. A file that is broken or gone is told once; the last good ring stays.

    `counted` is told of each change that it was "taken" or "refused". The text is compared, not the file's time: a
    mounted secret changes by a link, an edit may keep the time.
    """
    seen: bytes | None = ring.keyring.fingerprint
    file = RingFile(path)
    # What follows a change takes its time, and must not delay the next look; it ends with us.
    async with asyncio.TaskGroup() as following:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            text = await file.text()
            found = None if isinstance(text, SettingsError) else fingerprint_of(text)
            if found == seen:
                continue
            seen = found
            try:
                if isinstance(text, SettingsError):
                    raise text
                keyring = parse_keyring(text)
            except SettingsError as error:
                log.warning("key ring: the changed file is refused, the last good ring stays: %s", error)
                if counted is not None:
                    counted("refused")
                continue
            if counted is not None:
                counted("taken")
            left = ring.replace(keyring)
            log.info("key ring: changed, %s accounts and %s keys", len(keyring.accounts), len(keyring.grants))
            following.create_task(_told(_close_later(left, grace_seconds)))
            following.create_task(_told(prepare(ring.accounts)))


async def _close_later(left: list[AccountStorage], seconds: float) -> None:
    """Closes what a change left behind once its requests are done, or when we end."""
    try:
        await asyncio.sleep(seconds)
    finally:
        await close_all(left)


async def _told(work: Awaitable[object]) -> None:
    """Keeps what nobody foresaw from ending the watch: the next change must count too."""
    try:
        await work
    except Exception:
        log.exception("key ring: after a change")


def _text(path: Path) -> str | SettingsError:
    """The file's text, or why there is none."""
    try:
        return read_keyring(path)
    except SettingsError as error:
        return error
