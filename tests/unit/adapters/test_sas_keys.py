"""Delegated keys, by a clock that the test owns: asked for once, renewed before they end, one request at a time."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.storage.blob import UserDelegationKey

from adapters.blobs.sas_keys import CLOCK_SKEW, LONGEST_KEY, USUAL_KEY, DelegationKeyProvider
from adapters.errors import StorageError

HOUR = timedelta(hours=1)


class World:
    """A clock, and a storage that delegates keys or refuses to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, tzinfo=UTC)
        self.asked: list[tuple[datetime, datetime]] = []
        self.refuses = False

    def clock(self) -> datetime:
        return self.now

    async def fetch(self, start: datetime, expires: datetime) -> UserDelegationKey:
        self.asked.append((start, expires))
        await asyncio.sleep(0.01)
        if self.refuses:
            raise ClientAuthenticationError("with a secret in its text")
        return UserDelegationKey()  # type: ignore[no-untyped-call]  # the SDK's own constructor has no types

    def keys(self, link_lifetime: timedelta = HOUR) -> DelegationKeyProvider:
        return DelegationKeyProvider(self.fetch, link_lifetime, self.clock)


def run(test: Callable[[World], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(test(World()))


def test_ten_thousand_links_cost_one_key() -> None:
    async def test(world: World) -> None:
        keys = world.keys()
        for _ in range(10_000):
            await keys.current()
        assert len(world.asked) == 1

    run(test)


def test_many_at_once_wait_for_one_request() -> None:
    async def test(world: World) -> None:
        keys = world.keys()
        found = await asyncio.gather(*(keys.current() for _ in range(500)))
        assert len(world.asked) == 1
        assert len({id(key) for key in found}) == 1

    run(test)


def test_a_caller_whose_time_is_up_does_not_end_it_for_the_others() -> None:
    async def test(world: World) -> None:
        keys = world.keys()
        others = asyncio.create_task(keys.current())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await keys.current()
        assert (await others).delegated is not None
        assert len(world.asked) == 1

    run(test)


def test_a_key_is_renewed_in_the_background_before_it_ends() -> None:
    async def test(world: World) -> None:
        keys = world.keys()
        first = await keys.current()
        world.now += USUAL_KEY / 2
        assert await keys.current() is first  # nobody waits
        await asyncio.sleep(0.05)
        second = await keys.current()
        assert second is not first
        assert len(world.asked) == 2

    run(test)


def test_a_key_too_short_for_a_link_is_replaced_before_it_signs() -> None:
    async def test(world: World) -> None:
        keys = world.keys()
        first = await keys.current()
        world.now += USUAL_KEY - timedelta(minutes=59)
        assert await keys.current() is not first

    run(test)


def test_the_key_at_hand_signs_on_while_storage_refuses_another() -> None:
    async def test(world: World) -> None:
        keys = world.keys()
        first = await keys.current()
        world.refuses = True
        world.now += USUAL_KEY - timedelta(minutes=30)
        assert await keys.current() is first
        world.now += timedelta(minutes=30) - CLOCK_SKEW
        with pytest.raises(StorageError, match="refused: ClientAuthenticationError"):
            await keys.current()

    run(test)


def test_a_failed_renewal_in_the_background_is_not_repeated_at_once() -> None:
    async def test(world: World) -> None:
        keys = world.keys()
        await keys.current()
        world.refuses = True
        world.now += USUAL_KEY / 2
        for _ in range(10):
            await keys.current()
            await asyncio.sleep(0.02)
        assert len(world.asked) == 2
        world.refuses = False
        world.now += timedelta(seconds=31)
        await keys.current()
        await asyncio.sleep(0.05)
        assert len(world.asked) == 3

    run(test)


def test_a_key_begins_before_the_links_that_it_signs() -> None:
    async def test(world: World) -> None:
        await world.keys().current()
        ((start, _),) = world.asked
        assert start < world.now - CLOCK_SKEW

    run(test)


@pytest.mark.parametrize("lifetime", [timedelta(minutes=1), HOUR, timedelta(days=2), timedelta(days=7)])
def test_a_key_is_never_asked_for_longer_than_storage_gives_it(lifetime: timedelta) -> None:
    async def test(world: World) -> None:
        keys = world.keys(lifetime)
        await keys.current()
        ((_, expires),) = world.asked
        assert min(2 * lifetime, USUAL_KEY) <= expires - world.now <= LONGEST_KEY
        await keys.current()
        assert len(world.asked) == 1

    run(test)


def test_closing_ends_a_renewal() -> None:
    async def test(world: World) -> None:
        keys = world.keys()
        waiting = asyncio.create_task(keys.current())
        await asyncio.sleep(0)
        await keys.close()
        with pytest.raises(StorageError, match="left the key ring"):
            await waiting  # a request that is answered by an envelope, like any other

    run(test)
