"""What a load needs of an account's storage, one probe for each part (operations contract, section 2).

`check` prints the findings. `LoadNeedsMonitor` repeats the probes while a process runs, for metrics and the log.
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
from adapters.maps.errors import MapsError
from adapters.sdk_calls import JITTER
from adapters.tables.worker_rows import LIVE_SECONDS
from proxy.keyring.reload import ActiveKeyRing

log = logging.getLogger(__name__)

INTERVAL_SECONDS = 60.0

# Seconds until a probe is repeated that the identity may not make: each try counts as a storage error.
DENIED_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What a probe found; `is_missing` says that a load can't be done without it."""

    text: str
    is_missing: bool = True


Probe = Callable[[AccountStorage], Awaitable[list[Finding]]]
"""Looks at one part of an account. It raises StorageError for what is broken or denied."""


async def _probe_containers(account: AccountStorage) -> list[Finding]:
    async def probe(container: str) -> list[Finding]:
        try:
            exists = await account.blobs.has_container(container)
        except StorageError as error:
            # The identity of a server may read exports alone. A credential that opens nothing is denied there too.
            if error.code is not StorageErrorCode.ACCESS_DENIED or container == EXPORTS:
                raise
            return [Finding(f"this identity may not look at the container {container}", is_missing=False)]
        return [] if exists else [Finding(f"without the container {container}, which serve creates if it may")]

    found = await asyncio.gather(*map(probe, (EXPORTS, UPLOADS, VERSIONS)))
    return [finding for findings in found for finding in findings]


async def _probe_queue(account: AccountStorage) -> list[Finding]:
    return [] if await account.queue.exists() else [Finding("not there; serve creates it if it may")]


async def _probe_signing(account: AccountStorage) -> list[Finding]:
    await account.links.signer()
    return []


async def _probe_workers(account: AccountStorage) -> list[Finding]:
    try:
        alive = await account.workers.list_live()
    except StorageError as error:
        if error.code is not StorageErrorCode.NO_TABLE:
            raise
        alive = ()
    if not alive:
        return [Finding(f"NONE has sent a heartbeat within {LIVE_SECONDS:g} s: jobs wait until one runs")]
    return [Finding(f"{len(alive)} alive", is_missing=False)]


LOAD_NEEDS: Mapping[str, Probe] = {
    "blobs": _probe_containers,
    "queue": _probe_queue,
    "links": _probe_signing,
    "workers": _probe_workers,
}

SIGNING = frozenset(("links",))
"""The needs of a process that signs links only."""


async def probe_maps(account: AccountStorage) -> list[Finding]:
    """Gets a token of the account's Azure Maps, or its key, without a call that costs; it raises MapsError too.

    The finding is the day's count, where a bound is set.
    """
    await account.maps.check_access()
    counter = account.maps_counter
    if counter is None:
        return []
    try:
        count = await counter.count()
    except StorageError as error:
        if error.code is not StorageErrorCode.NO_TABLE:
            raise
        count = 0
    text = f"{count} of the {counter.most} items of this UTC day are used"
    if count < counter.most:
        return [Finding(text, is_missing=False)]
    return [Finding(f"{text}; geocode jobs wait for the next day")]


class LoadNeedsMonitor:
    """Probes what loads need of each account, and reports each change."""

    def __init__(
        self,
        ring: ActiveKeyRing,
        timeout: float,
        report: Callable[[str, str, float], None] | None,
        *,
        signs_links: bool = True,
    ) -> None:
        """Starts with nothing known.

        Args:
            ring: the key ring whose accounts are probed.
            timeout: seconds for one probe.
            report: takes account, part and 1 (there), 0 (missing) or NaN (not known) after each probe; may be None.
            signs_links: whether this process signs links, as a server does. A server may not read all containers.
        """
        self._ring = ring
        self._timeout = timeout
        self._report = report
        self._parts = ("queue", "links", "workers") if signs_links else ("blobs", "queue", "workers")
        self._states: dict[tuple[str, str], float] = {}
        self._due: dict[tuple[str, str], float] = {}

    async def run(self) -> None:
        """Probes until it is cancelled."""
        while True:
            await asyncio.sleep(INTERVAL_SECONDS * JITTER.uniform(0.9, 1.1))
            try:
                await self.probe()
            except Exception:
                log.exception("the needs of loads can't be probed")

    async def probe(self) -> None:
        """Probes all accounts once that can be opened."""
        accounts = self._ring.accounts
        names = [name for name in accounts.names if name not in accounts.errors]
        self._states = {key: state for key, state in self._states.items() if key[0] in names}
        self._due = {key: due for key, due in self._due.items() if key[0] in names}
        await asyncio.gather(*(self._probe_account(accounts[name]) for name in names))

    async def _probe_account(self, account: AccountStorage) -> None:
        parts = {part: LOAD_NEEDS[part] for part in self._parts}
        if account.has_maps:
            parts["maps"] = probe_maps
        await asyncio.gather(*(self._probe_part(account, part, probe) for part, probe in parts.items()))

    async def _probe_part(self, account: AccountStorage, part: str, probe: Probe) -> None:
        key, text = (account.name, part), ""
        if time.monotonic() < self._due.get(key, 0):
            return
        try:
            async with asyncio.timeout(self._timeout):
                missing = [finding.text for finding in await probe(account) if finding.is_missing]
            state, text = float(not missing), "; ".join(missing)
        except TimeoutError:
            state, text = 0.0, f"nothing within {self._timeout:g} s"
        except MapsError as error:
            state, text = 0.0, str(error)
        except StorageError as error:
            state, text = 0.0, str(error)
            if error.code is StorageErrorCode.ACCESS_DENIED:
                state = math.nan
                self._due[key] = time.monotonic() + DENIED_SECONDS
        if self._report is not None:
            self._report(account.name, part, state)
        before = self._states.get(key, 1.0)
        self._states[key] = state
        if state == 0 and before != 0:
            log.warning("loads need %s: %s", part, text, extra={"account": account.name})
        elif state == 1 and before == 0:
            log.info("loads have %s again", part, extra={"account": account.name})
