"""Slots: whose job may be begun beside those that are under way."""

import asyncio

import pytest

from proxy.worker.slots import Slots


def test_a_single_account_may_have_all_slots() -> None:
    slots = Slots(2)
    assert [slots.take("a") for _ in range(3)] == [True, True, False]
    slots.give("a")
    assert slots.take("a")


@pytest.mark.parametrize(("count", "most"), [(1, 1), (2, 1), (3, 2)])
def test_of_several_accounts_none_takes_the_last_slot_beside_its_own_jobs(count: int, most: int) -> None:
    slots = Slots(count)
    slots.accounts = 2
    assert sum(slots.take("heavy") for _ in range(count + 1)) == most
    assert slots.take("other") == (count > 1)


def test_accounts_that_wait_are_woken_one_by_one_in_their_order() -> None:
    async def run() -> list[str]:
        slots, stop, woken = Slots(1), asyncio.Event(), list[str]()
        slots.accounts = 3

        async def wait(account: str) -> None:
            await slots.turn(account, stop)
            woken.append(account)

        assert slots.take("a")
        tasks = [asyncio.create_task(wait(account)) for account in ("b", "c", "a")]
        await asyncio.sleep(0)
        assert woken == []
        slots.give("a")
        await asyncio.sleep(0.01)
        assert woken == ["b"]
        slots.wake()  # b has found no job
        await asyncio.sleep(0.01)
        assert woken == ["b", "c"]
        assert slots.take("c")
        stop.set()
        slots.wake_all()
        await asyncio.gather(*tasks)
        return woken

    assert asyncio.run(run()) == ["b", "c", "a"]
