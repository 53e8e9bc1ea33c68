"""Checks all that requests and jobs need of each account's storage, within a deadline, one part beside the other."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from adapters.account import AccountStorage
from adapters.accounts import AccountRegistry
from adapters.blobs.store import VERSIONS
from adapters.errors import StorageError, StorageErrorCode
from adapters.maps.errors import MapsError
from adapters.model.geocoding import ForwardItem
from proxy.observability.load_needs import LOAD_NEEDS, SIGNING, Finding, Probe, probe_maps

MAPS = "maps"
MAPS_SECONDS = 30.0
"""For a token and one call."""
MAPS_ITEM = ForwardItem(query="Redmond, WA")
"""A place that every Azure Maps knows."""


@dataclass(frozen=True, slots=True)
class PartCheck:
    """What was found of one part.

    Args:
        part: its name, such as `queue`; empty where the account can't be opened at all.
        is_sound: whether it answers and lets us in. A part that does not exist yet, or no live worker, is sound: before
            the first start nothing exists, and a server that only reads needs no worker.
        remark: what is wrong with it or worth knowing; empty where it only answered.
        seconds: how long it took; None where that says nothing.
        is_missing: whether something of it is not there yet, or jobs can't be done for now.
    """

    part: str
    is_sound: bool
    remark: str = ""
    seconds: float | None = None
    is_missing: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """What was found of an account, of the key store or of the query cache."""

    name: str
    parts: tuple[PartCheck, ...]

    @property
    def is_sound(self) -> bool:
        """Whether all parts are."""
        return all(part.is_sound for part in self.parts)


@dataclass(frozen=True, slots=True)
class CheckLimits:
    """How an account is checked.

    Args:
        seconds: the deadline of each part, such as the queue.
        maps_seconds: the deadline of Azure Maps.
        queries: whether versions of data sources are read to answer queries.
        asks_maps: whether one item is asked of the account's Azure Maps, which is billed.
        signs_links: whether this process gets a key that signs links, which takes a role that the console has not.
    """

    seconds: float
    maps_seconds: float = MAPS_SECONDS
    queries: bool = True
    asks_maps: bool = False
    signs_links: bool = True


async def check_accounts(accounts: AccountRegistry, limits: CheckLimits) -> list[Check]:
    """Checks all accounts side by side."""
    return list(await asyncio.gather(*(_check_account(accounts, name, limits) for name in accounts.names)))


async def ask_maps(account: AccountStorage, seconds: float) -> PartCheck:
    """Asks one item of the account's Azure Maps, which is billed, to learn that it takes the key or the token."""
    return await _check_part(MAPS, _ask_maps, account, seconds)


async def _check_account(accounts: AccountRegistry, name: str, limits: CheckLimits) -> Check:
    try:
        account = accounts[name]
    except StorageError as error:
        return Check(name, (PartCheck("", is_sound=False, remark=_describe(error)),))
    parts: Mapping[str, Probe] = {"tables": _look_at_tables, **LOAD_NEEDS} | (
        {"queries": _look_at_versions} if limits.queries else {}
    )
    left_out = frozenset[str]() if limits.signs_links else SIGNING
    checks = [_check_part(part, look, account, limits.seconds) for part, look in parts.items() if part not in left_out]
    if account.has_maps:
        look = _ask_maps if limits.asks_maps else probe_maps
        checks.append(_check_part(MAPS, look, account, limits.maps_seconds))
    return Check(name, tuple(await asyncio.gather(*checks)))


async def _check_part(part: str, look: Probe, account: AccountStorage, seconds: float) -> PartCheck:
    started = time.perf_counter()
    is_sound, is_missing = False, False
    try:
        async with asyncio.timeout(seconds):
            findings = await look(account)
        remark = "; ".join(finding.text for finding in findings)
        is_sound, is_missing = True, any(finding.is_missing for finding in findings)
    except StorageError as error:
        remark = _describe(error)
    except MapsError as error:
        remark = f"{error} ({error.failure.value.hint})"
    except TimeoutError:
        remark = f"timeout: nothing within {seconds:g} s"
    return PartCheck(part, is_sound, remark, time.perf_counter() - started, is_missing)


async def _ask_maps(account: AccountStorage) -> list[Finding]:
    answer = await account.maps.look_up(MAPS_ITEM, "en-US")
    answered = "finds" if answer and isinstance(answer, tuple) else "does not find"
    return [Finding(f"{answered} {MAPS_ITEM.query}", is_missing=False), *await probe_maps(account)]


async def _look_at_tables(account: AccountStorage) -> list[Finding]:
    async def look(table: str, reach: Callable[[], Awaitable[None]]) -> list[Finding]:
        try:
            await reach()
        except StorageError as error:
            if error.code is not StorageErrorCode.NO_TABLE:
                raise
            return [Finding(f"without the {table} table, which serve creates if it may")]
        return []

    looks = look("jobs", account.jobs.ping), look("datasources", account.data_sources.ping)
    return [finding for findings in await asyncio.gather(*looks) for finding in findings]


async def _look_at_versions(account: AccountStorage) -> list[Finding]:
    try:
        await account.blobs.has_container(VERSIONS)  # whether it is there is said of the blobs
    except StorageError as error:
        if error.code is StorageErrorCode.ACCESS_DENIED:
            text = f"this identity may not read the container {VERSIONS}; give it Storage Blob Data Reader there"
            raise StorageError(error.code, f"{text}, or set PROXY_QUERIES=false ({error.detail})") from None
        raise
    return []


def _describe(error: StorageError) -> str:
    return f"{error} ({error.code.value.hint})"
