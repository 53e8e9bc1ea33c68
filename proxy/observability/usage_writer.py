"""Writes what keys asked for to the table `usage` of each account."""

import asyncio
import logging
import os
import re
import socket
from collections.abc import Mapping
from secrets import token_hex

from adapters.errors import StorageError
from adapters.tables.key_batches import batches
from proxy.keyring.reload import ActiveKeyRing
from proxy.observability.usage import Tally, UsageCounter

log = logging.getLogger(__name__)

# A row is written at most once in so many seconds, and a crash loses at most what came in them.
WRITE_SECONDS = 60.0

# Seconds that the last write may take. A container host waits ten for the end of a process.
LAST_SECONDS = 2.0

# Accounts that are written side by side.
AT_ONCE = 4

LONGEST_HOST = 64


def process_name() -> str:
    """This process in row keys: host, process id, and random digits, since process ids repeat."""
    host = re.sub("[^A-Za-z0-9._-]", "-", socket.gethostname())[:LONGEST_HOST]
    return f"{host}:{os.getpid()}:{token_hex(3)}"


class UsageWriter:
    """Writes the tallies of a counter. Trouble with storage keeps them for the next time, and is logged once."""

    def __init__(self, counter: UsageCounter, ring: ActiveKeyRing) -> None:
        self._counter = counter
        self._ring = ring
        self._process = process_name()
        self._failing: set[str] = set()
        self._warned_of_bound = False

    async def run(self) -> None:
        """Writes once a minute until cancelled."""
        while True:
            await asyncio.sleep(WRITE_SECONDS)
            try:
                await self.write()
            except Exception:
                log.exception("usage: it can't be written")

    async def close(self) -> None:
        """Writes what is left, if storage answers soon."""
        try:
            async with asyncio.timeout(LAST_SECONDS):
                await self.write()
        except TimeoutError:
            log.warning("usage: the last minute is lost, storage did not take it within %g s", LAST_SECONDS)
        except Exception:  # the end of the server goes on
            log.exception("usage: it can't be written")

    async def write(self) -> None:
        """Writes what is not stored yet."""
        free = asyncio.Semaphore(AT_ONCE)

        async def write(account: str, hours: Mapping[str, list[Tally]]) -> None:
            async with free:
                await self._write_account(account, hours)

        await asyncio.gather(*(write(account, hours) for account, hours in self._counter.unstored().items()))
        if self._counter.uncounted and not self._warned_of_bound:
            self._warned_of_bound = True
            log.warning("usage: more keys are in use than are counted, so some requests are missing in it")

    async def _write_account(self, account: str, hours: Mapping[str, list[Tally]]) -> None:
        if account not in self._ring.accounts.names:
            self._counter.forget(account)
            return
        try:
            store = self._ring.accounts[account].usage
            for hour, tallies in hours.items():
                for batch in batches(tallies):
                    # Requests that come meanwhile are of the next write.
                    counted = [tally.requests for tally in batch]
                    await store.write(hour, self._process, [tally.usage for tally in batch])
                    for tally, requests in zip(batch, counted, strict=True):
                        tally.stored = requests
        except StorageError as error:
            if account not in self._failing:
                self._failing.add(account)
                details = {"account": account, "hint": error.code.value.hint}
                log.warning("usage: it can't be written, so `keys list --usage` lacks it: %s", error, extra=details)
        else:
            self._failing.discard(account)
