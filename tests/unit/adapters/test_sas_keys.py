"""Delegated keys, by a clock of the test: requested once, renewed before they end, one request at a time."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.storage.blob import UserDelegationKey

from adapters.blobs.sas_keys import CLOCK_SKEW, LONGEST_KEY, USUAL_KEY, DelegationKeyProvider
from adapters.errors import StorageError
from tests.support.virtual_time import VIRTUAL_TIME, VirtualTime

HOUR = timedelta(hours=1)

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> VirtualTime:
    return VIRTUAL_TIME


class World:
    """A clock, and a storage that delegates keys or refuses to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, tzinfo=UTC)
        self.requests: list[tuple[datetime, datetime]] = []
        self.refuses = False

    def clock(self) -> datetime:
        return self.now

    async def fetch(self, start: datetime, expires: datetime) -> UserDelegationKey:
        self.requests.append((start, expires))
        await asyncio.sleep(0.01)
        if self.refuses:
            raise ClientAuthenticationError("with a secret in its text")
        return UserDelegationKey()  # type: ignore[no-untyped-call]  # the SDK's own constructor has no types

    def keys(self, link_lifetime: timedelta = HOUR) -> DelegationKeyProvider:
        return DelegationKeyProvider(self.fetch, link_lifetime, self.clock)


@pytest.fixture
def world() -> World:
    return World()


async def test_ten_thousand_links_need_one_key(world: World) -> None:
    keys = world.keys()
    for _ in range(10_000):
        await keys.current()
    assert len(world.requests) == 1


async def test_concurrent_callers_share_one_request(world: World) -> None:
    keys = world.keys()
    found = await asyncio.gather(*(keys.current() for _ in range(500)))
    assert len(world.requests) == 1
    assert len({id(key) for key in found}) == 1


async def test_cancelled_caller_does_not_cancel_the_renewal(world: World) -> None:
    keys = world.keys()
    others = asyncio.create_task(keys.current())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.001):
            await keys.current()
    assert (await others).delegated is not None
    assert len(world.requests) == 1


async def test_key_is_renewed_in_the_background(world: World) -> None:
    keys = world.keys()
    first = await keys.current()
    world.now += USUAL_KEY / 2
    assert await keys.current() is first  # without a wait
    await asyncio.sleep(0.05)
    second = await keys.current()
    assert second is not first
    assert len(world.requests) == 2


async def test_key_too_short_for_a_link_is_replaced(world: World) -> None:
    keys = world.keys()
    first = await keys.current()
    world.now += USUAL_KEY - timedelta(minutes=59)
    assert await keys.current() is not first


async def test_current_key_signs_while_renewal_fails(world: World) -> None:
    keys = world.keys()
    first = await keys.current()
    world.refuses = True
    world.now += USUAL_KEY - timedelta(minutes=30)
    assert await keys.current() is first
    world.now += timedelta(minutes=30) - CLOCK_SKEW
    with pytest.raises(StorageError, match="refused: ClientAuthenticationError"):
        await keys.current()


async def test_failed_renewal_is_not_repeated_at_once(world: World) -> None:
    keys = world.keys()
    await keys.current()
    world.refuses = True
    world.now += USUAL_KEY / 2
    for _ in range(10):
        await keys.current()
        await asyncio.sleep(0.02)
    assert len(world.requests) == 2
    world.refuses = False
    world.now += timedelta(seconds=31)
    await keys.current()
    await asyncio.sleep(0.05)
    assert len(world.requests) == 3


async def test_key_starts_before_its_links(world: World) -> None:
    await world.keys().current()
    ((start, _),) = world.requests
    assert start < world.now - CLOCK_SKEW


@pytest.mark.parametrize("lifetime", [timedelta(minutes=1), HOUR, timedelta(days=2), timedelta(days=7)])
async def test_key_lifetime_stays_within_seven_days(world: World, lifetime: timedelta) -> None:
    keys = world.keys(lifetime)
    await keys.current()
    ((_, expires),) = world.requests
    assert min(2 * lifetime, USUAL_KEY) <= expires - world.now <= LONGEST_KEY
    await keys.current()
    assert len(world.requests) == 1


async def test_close_cancels_a_renewal(world: World) -> None:
    keys = world.keys()
    waiting = asyncio.create_task(keys.current())
    await asyncio.sleep(0)
    await keys.close()
    with pytest.raises(StorageError, match="left the key ring"):
        await waiting  # a request that is answered by an envelope, like any other
