"""Reads how every account is: side by side, each part with its own error and deadline.

A part that was read is shown for some seconds, so any number of pages that stay open read it once.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from adapters.account import AccountStorage
from adapters.errors import StorageError, StorageErrorCode
from adapters.maps.errors import MapsError
from adapters.request_coalescing import SingleFlight
from proxy.keyring.reload import ActiveKeyRing
from proxy.observability.load_needs import LOAD_NEEDS, SIGNING, Finding, Probe, probe_maps
from proxy.operations.account_problems import Problem, find_problems, unopened
from proxy.operations.ending_keys import EndingKeys, find_in_ring, find_in_store
from proxy.operations.job_counts import count_jobs
from proxy.operations.overview_parts import AccountParts, Part, PartError
from proxy.operations.usage_hours import DayUsage, read_day
from proxy.operations.worker_views import list_workers
from proxy.settings import Settings

log = logging.getLogger(__name__)

FRESH_SECONDS = 5.0
"""How long a part is shown without being read again."""
USAGE_FRESH_SECONDS = 60.0
"""The same of usage, which servers write once a minute."""
KEYS_FRESH_SECONDS = 600.0
"""The same of the keys of a key store, all of whose rows storage looks at; metrics count them as often."""
KEYS_SECONDS = 120.0
"""The deadline of that. A page waits for it no longer than for other parts."""

_T = TypeVar("_T")

NOT_PROBED = SIGNING | {"workers"}
"""The workers are a part of their own. The console signs no links, and has no role for it."""


@dataclass(frozen=True, slots=True)
class AccountOverview:
    """How an account is.

    Args:
        name: the account.
        problems: what is wrong, the worst first.
        parts: what was read; None where the account can't be opened.
    """

    name: str
    problems: tuple[Problem, ...]
    parts: AccountParts | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What the probes of its storage found and is no problem."""
        probed = self.parts.storage.values() if self.parts else ()
        return tuple(finding.text for part in probed for finding in part.value or () if not finding.is_missing)

    @property
    def rank(self) -> tuple[int, str]:
        """The place on a page: the worst account first."""
        return min((problem.level for problem in self.problems), default=2), self.name


class OverviewReader:
    """Reads the overview of a ring's accounts, and follows changes of the ring."""

    def __init__(self, settings: Settings, ring: ActiveKeyRing) -> None:
        """Reads nothing yet."""
        self._settings = settings
        self._ring = ring
        self._reads = SingleFlight()
        self._fresh: dict[Hashable, tuple[float, Any]] = {}

    async def read(self) -> list[AccountOverview]:
        """How each account is, the worst first, within about PROXY_STORAGE_TIMEOUT."""
        now = time.monotonic()
        self._fresh = {key: kept for key, kept in self._fresh.items() if kept[0] > now}
        keys = self._start_keys()
        names = self._ring.accounts.names
        found = await asyncio.gather(*(self._read_account(name, keys) for name in names))
        await keys  # where no account can be opened, none has waited for it
        return sorted(found, key=lambda each: each.rank)

    def close(self) -> None:
        """Ends the reads in flight."""
        self._reads.close()

    def _start_keys(self) -> "asyncio.Task[Part[EndingKeys]]":
        ring = self._ring.keyring
        if (store := ring.key_store) is None:

            async def find() -> Part[EndingKeys]:
                return Part(find_in_ring(ring))

            return asyncio.create_task(find())
        read = partial(find_in_store, store, self._settings.keys_table, self._settings.storage_timeout)
        return asyncio.create_task(self._part(("keys", store), read, KEYS_FRESH_SECONDS, KEYS_SECONDS))

    async def _read_account(self, name: str, keys: "asyncio.Task[Part[EndingKeys]]") -> AccountOverview:
        try:
            account = self._ring.accounts[name]
        except StorageError as error:
            return AccountOverview(name, (unopened(error),))
        storage, workers, queue, jobs, usage, ends = await asyncio.gather(
            self._probe(account),
            self._part((account, "workers"), partial(list_workers, account)),
            self._part((account, "queue length"), partial(_queue_length, account)),
            self._part((account, "jobs"), partial(count_jobs, account, self._settings.job_window_days)),
            self._read_usage(account),
            keys,
        )
        own = Part(None if ends.value is None else ends.value.get(name, ()), ends.error)
        parts = AccountParts(storage, workers, queue, jobs, own, usage)
        return AccountOverview(name, find_problems(parts), parts)

    async def _probe(self, account: AccountStorage) -> dict[str, Part[list[Finding]]]:
        probes: dict[str, Probe] = {name: probe for name, probe in LOAD_NEEDS.items() if name not in NOT_PROBED}
        if account.has_maps:
            probes["maps"] = probe_maps

        async def look(name: str, probe: Probe) -> Part[list[Finding]]:
            async def read() -> list[Finding]:
                return await probe(account)

            return await self._part((account, name), read)

        found = await asyncio.gather(*(look(name, probe) for name, probe in probes.items()))
        return dict(zip(probes, found, strict=True))

    async def _read_usage(self, account: AccountStorage) -> Part[DayUsage] | None:
        if self._settings.usage == "off":
            return None
        return await self._part((account, "usage"), partial(read_day, account), USAGE_FRESH_SECONDS)

    async def _part(
        self,
        key: Hashable,
        read: Callable[[], Coroutine[Any, Any, _T]],
        fresh: float = FRESH_SECONDS,
        deadline: float | None = None,
    ) -> Part[_T]:
        """Reads a part, or shows what was read a moment ago. Its error is part of the result."""
        timeout = self._settings.storage_timeout
        if (kept := self._fresh.get(key)) is not None:
            return Part(kept[1])

        async def read_in_time() -> _T:
            async with asyncio.timeout(deadline or timeout):
                value = await read()
            self._fresh[key] = time.monotonic() + fresh, value
            return value

        try:
            return Part((await self._reads.run(key, read_in_time, wait=timeout))[0])
        except StorageError as error:
            return Part(error=PartError(error.code.value.name, error.code.value.hint, error.detail))
        except MapsError as error:
            return Part(error=PartError(f"{error}", error.failure.value.hint))
        except TimeoutError:
            late = StorageErrorCode.TIMEOUT.value
            return Part(error=PartError(late.name, late.hint, f"nothing within {timeout:g} s"))
        except Exception:
            log.exception("a part of the overview failed")
            return Part(error=PartError("the console failed", "its log says where"))


async def _queue_length(account: AccountStorage) -> int:
    """How many jobs wait or are leased; none where there is no queue, as the probe says."""
    return await account.queue.approximate_length() if await account.queue.exists() else 0
