"""The key ring in use: the one of the start, or the last valid one that its file has held since."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import AsyncExitStack
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Protocol

from proxy.keyring.file import compute_fingerprint, parse_keyring, read_keyring
from proxy.keyring.keyring import KeyRing
from proxy.keyring.lookup import KeyLookup, RingKeys
from proxy.settings import SettingsError, variable_name

if TYPE_CHECKING:  # commands read a key ring without loading the SDK
    from adapters.accounts import AccountRegistry
    from adapters.credentials.config import StorageEntry

log = logging.getLogger(__name__)

# Every process applies a change within five seconds.
POLL_SECONDS = 1.0

# A read from a mount that does not answer holds its thread. The path may lead elsewhere by the next poll, so that one
# reads again, until this many threads hang.
READ_SECONDS = 2.0
MAX_HANGING = 5


OpenStore = Callable[["StorageEntry", Callable[[str], bool]], KeyLookup]


class Closable(Protocol):
    """Something with connections."""

    async def close(self) -> None:
        """Closes them."""
        ...


class ActiveKeyRing:
    """A key ring, its opened accounts, and what finds its keys, replaced together.

    `keys` are those of the ring, or of its key store. Without `open_store` nothing reads keys, as in a worker, and a
    key store stays closed.
    """

    def __init__(
        self,
        keyring: KeyRing,
        accounts: "AccountRegistry",
        open_store: "OpenStore | None" = None,
    ) -> None:
        """Opens the key store, without a request to it.

        Args:
            keyring: the key ring.
            accounts: its accounts, opened.
            open_store: opens a key store; is passed whether the key ring in use has an account.

        Raises:
            SettingsError: the key store's credential can't be used.
        """
        self.keyring = keyring
        self.accounts = accounts
        self._open_store = open_store
        self.keys = self._open_keys(keyring)
        self._replaced = asyncio.Event()

    def replace(self, keyring: KeyRing) -> list[Closable]:
        """Puts another ring in force. The same key store stays open, and keeps what it has read.

        Returns:
            What the new ring does not have: accounts, and a key store. They may still serve requests.

        Raises:
            SettingsError: the key store's credential can't be used; the ring stays.
        """
        removed: list[Closable] = []
        if keyring.key_store is None or keyring.key_store != self.keyring.key_store:
            keys = self._open_keys(keyring)
            removed.append(self.keys)
            self.keys = keys
            self._replaced.set()
        before, self.accounts = self.accounts, self.accounts.with_entries(keyring.accounts, keyring.maps)
        self.keyring = keyring
        return [*removed, *before.removed_since(self.accounts)]

    async def run(self) -> None:
        """Follows changes of keys until cancelled, those of the key store in force."""
        while True:
            self._replaced.clear()
            following = asyncio.create_task(_follow(self.keys))
            try:
                await self._replaced.wait()
            finally:
                following.cancel()

    async def close(self) -> None:
        """Closes the accounts and the key store."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.accounts.close)
            stack.push_async_callback(self.keys.close)

    def _open_keys(self, keyring: KeyRing) -> KeyLookup:
        if keyring.key_store is None or self._open_store is None:
            return RingKeys(keyring)
        return self._open_store(keyring.key_store, lambda account: account in self.keyring.accounts)


async def _follow(keys: KeyLookup) -> None:
    """Follows changes of keys. An unforeseen error must not end that: a revoked key would live on."""
    while True:
        try:
            return await keys.run()
        except Exception:
            log.exception("key store: the look for changes failed")
        await asyncio.sleep(POLL_SECONDS)


class KeyRingFile:
    """A key ring's file. A read that hangs blocks neither the process nor its end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads: list[Thread] = []

    async def read(self) -> str:
        """The file's text.

        Raises:
            SettingsError: the file can't be read, or not in time.
        """
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        text: Future[str] = Future()
        if len(self._threads) < MAX_HANGING:
            # The event loop waits for its own threads before it ends, so this is none of them.
            self._threads.append(Thread(target=self._read_into, args=(text,), daemon=True, name="key ring"))
            self._threads[-1].start()
        try:
            return await asyncio.wait_for(asyncio.wrap_future(text), READ_SECONDS)
        except TimeoutError:
            reason = f"it does not answer within {READ_SECONDS:g} s"
            raise SettingsError(f"{variable_name('keyring_file')}: key ring: can't be read: {reason}") from None

    def _read_into(self, text: Future[str]) -> None:
        if text.set_running_or_notify_cancel():
            try:
                text.set_result(read_keyring(self._path))
            except SettingsError as error:
                text.set_exception(error)


async def reload_on_change(
    path: Path,
    ring: ActiveKeyRing,
    grace_seconds: float,
    prepare: "Callable[[AccountRegistry], Awaitable[object]]",
    count: Callable[[str], None] = lambda _: None,
) -> None:
    """Follows a key ring file until cancelled. The last valid ring stays while the file is broken or gone.

    It compares texts, not the file's times: a mounted secret changes by a link, and an edit may keep the time.

    Args:
        path: the file.
        ring: what a changed file replaces.
        grace_seconds: how long requests may use an account that the new ring does not have.
        prepare: creates what the accounts of a new ring miss in storage.
        count: is called with `taken` or `refused` for each change of the file.
    """
    known: bytes | None = ring.keyring.fingerprint
    file = KeyRingFile(path)
    # What follows a change takes its time, and must not delay the next poll. It ends with this task.
    async with asyncio.TaskGroup() as following:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            found = None
            try:
                text = await file.read()
                found = compute_fingerprint(text)
                if found == known:
                    continue
                keyring = parse_keyring(text)
                removed = ring.replace(keyring)
            except SettingsError as error:
                if found != known:  # the log has a line for each change, not for each poll
                    log.warning("key ring: the changed file is refused, the last good ring stays: %s", error)
                    count("refused")
                known = found
                continue
            known = found
            count("taken")
            keys = f"{len(keyring.grants)} keys" if keyring.key_store is None else "a key store"
            log.info("key ring: changed, %s accounts and %s", len(keyring.accounts), keys)
            following.create_task(_log_failure(_close_later(removed, grace_seconds)))
            following.create_task(_log_failure(prepare(ring.accounts)))


async def _close_later(parts: list[Closable], seconds: float) -> None:
    """Closes accounts and a key store after so many seconds, or when the process ends."""
    async with AsyncExitStack() as stack:
        for part in parts:
            stack.push_async_callback(part.close)
        await asyncio.sleep(seconds)


async def _log_failure(work: Awaitable[object]) -> None:
    """Keeps an unforeseen error from ending the reloads: the next change must take effect too."""
    try:
        await work
    except Exception:
        log.exception("key ring: after a change")
