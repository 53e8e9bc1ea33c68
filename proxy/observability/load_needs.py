"""What a load needs of an account's storage, one look for each part (operations contract, section 2).

`check` prints what the looks find. `LoadNeedsWatch` repeats them while a process runs, for metrics and the log.
"""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from adapters.account import AccountStorage
from adapters.blobs.store import EXPORTS, UPLOADS, VERSIONS
from adapters.errors import StorageError, StorageErrorCode
from adapters.sdk_calls import JITTER
from adapters.tables.worker_rows import GONE_SECONDS, live_workers
from proxy.keyring.reload import ActiveKeyRing

log = logging.getLogger(__name__)

WATCH_SECONDS = 60.0

# A look that the identity is not allowed to take is repeated after this time only: each try is a fault of storage.
REFUSED_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Remark:
    """What a look found; `is_missing` says that a load can't be done without it."""

    text: str
    is_missing: bool = True


Look = Callable[[AccountStorage], Awaitable[list[Remark]]]
"""Looks at a part of an account; raises what is broken or refused."""


async def look_at_containers(account: AccountStorage) -> list[Remark]:
    """The containers of uploads, versions and exports."""

    async def look(container: str) -> list[Remark]:
        try:
            there = await account.blobs.has_container(container)
        except StorageError as fault:
            # The identity of a server may read exports alone. A credential that opens nothing is refused there too.
            if fault.fault is not StorageErrorCode.ACCESS_DENIED or container == EXPORTS:
                raise
            return [Remark(f"this identity may not look at the container {container}", is_missing=False)]
        return [] if there else [Remark(f"without the container {container}, which serve creates if it may")]

    found = await asyncio.gather(*map(look, (EXPORTS, UPLOADS, VERSIONS)))
    return [remark for remarks in found for remark in remarks]


async def look_at_queue(account: AccountStorage) -> list[Remark]:
    """The queue of jobs."""
    return [] if await account.queue.exists() else [Remark("not there; serve creates it if it may")]


async def look_at_signing(account: AccountStorage) -> list[Remark]:
    """The key that signs links."""
    await account.links.signer()
    return []


async def look_at_workers(account: AccountStorage) -> list[Remark]:
    """The workers that gave a sign of life."""
    try:
        found = await live_workers(account)
    except StorageError as fault:
        if fault.fault is not StorageErrorCode.NO_TABLE:
            raise
        found = ()
    if not found:
        return [Remark(f"NONE has given a sign of life within {GONE_SECONDS:g} s: jobs wait until one runs")]
    return [Remark(f"{len(found)} alive", is_missing=False)]


LOAD_NEEDS: Mapping[str, Look] = {
    "blobs": look_at_containers,
    "queue": look_at_queue,
    "links": look_at_signing,
    "workers": look_at_workers,
}


class LoadNeedsWatch:
    """Looks at what loads need of each account, and reports each change."""

    def __init__(
        self,
        ring: ActiveKeyRing,
        seconds: float,
        report: Callable[[str, str, float], None] | None,
        *,
        signs: bool = True,
    ) -> None:
        """Starts with nothing known.

        Args:
            ring: its accounts are looked at.
            seconds: the deadline of one look.
            report: takes account, part and 1 (there), 0 (missing) or NaN (not known) after each look; may be None.
            signs: whether this process signs links, as a server does. It may not read all containers; a worker may.
        """
        self._ring = ring
        self._seconds = seconds
        self._report = report
        self._parts = ("queue", "links", "workers") if signs else ("blobs", "queue", "workers")
        self._known: dict[tuple[str, str], float] = {}
        self._again_at: dict[tuple[str, str], float] = {}

    async def run(self) -> None:
        """Looks until it is cancelled."""
        while True:
            await asyncio.sleep(WATCH_SECONDS * JITTER.uniform(0.9, 1.1))
            try:
                await self.look()
            except Exception:
                log.exception("the needs of loads can't be looked at")

    async def look(self) -> None:
        """Looks once at all accounts that can be opened."""
        accounts = self._ring.accounts
        names = [name for name in accounts.names if name not in accounts.faults]
        for gone in {name for name, _ in self._known} - set(names):
            self._forget(gone)
        await asyncio.gather(*(self._judge(accounts[name], part) for name in names for part in self._parts))

    async def _judge(self, account: AccountStorage, part: str) -> None:
        place = account.name, part
        if time.monotonic() < self._again_at.get(place, 0):
            return
        text = ""
        try:
            async with asyncio.timeout(self._seconds):
                missing = [remark.text for remark in await LOAD_NEEDS[part](account) if remark.is_missing]
            state, text = float(not missing), "; ".join(missing)
        except TimeoutError:
            state, text = 0.0, f"nothing within {self._seconds:g} s"
        except StorageError as fault:
            is_refused = fault.fault is StorageErrorCode.ACCESS_DENIED
            state, text = (math.nan if is_refused else 0.0), str(fault)
            if is_refused:
                self._again_at[place] = time.monotonic() + REFUSED_SECONDS
        if self._report is not None:
            self._report(account.name, part, state)
        before = self._known.get(place, 1.0)
        self._known[place] = state
        if state == 0 and before != 0:
            log.warning("loads need %s: %s", part, text, extra={"account": account.name})
        elif state == 1 and before == 0:
            log.info("loads have %s again", part, extra={"account": account.name})

    def _forget(self, name: str) -> None:
        for place in [place for place in self._known if place[0] == name]:
            del self._known[place]
            self._again_at.pop(place, None)
            if self._report is not None:
                self._report(*place, math.nan)
