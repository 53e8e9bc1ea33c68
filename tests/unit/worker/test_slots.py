"""Slots: which account may begin a job beside those that run."""

import asyncio

import pytest

from proxy.worker.slots import Slots
from tests.support import virtual_time


def test_single_account_may_take_all_slots() -> None:
    slots = Slots(2)
    assert [slots.try_acquire("a") for _ in range(3)] == [True, True, False]
    slots.release("a")
    assert slots.try_acquire("a")


@pytest.mark.parametrize(("count", "most"), [(1, 1), (2, 1), (3, 2)])
def test_one_of_several_accounts_leaves_the_last_slot(count: int, most: int) -> None:
    slots = Slots(count)
    slots.accounts = 2
    assert sum(slots.try_acquire("heavy") for _ in range(count + 1)) == most
    assert slots.try_acquire("other") == (count > 1)


def test_waiting_accounts_wake_one_by_one_in_order() -> None:
    async def run() -> list[str]:
        slots, stop, woken = Slots(1), asyncio.Event(), list[str]()
        slots.accounts = 3

        async def wait(account: str) -> None:
            await slots.wait(account, stop)
            woken.append(account)

        assert slots.try_acquire("a")
        tasks = [asyncio.create_task(wait(account)) for account in ("b", "c", "a")]
        await asyncio.sleep(0)
        assert woken == []
        slots.release("a")
        await asyncio.sleep(0.01)
        assert woken == ["b"]
        slots.wake_next()  # b has found no job
        await asyncio.sleep(0.01)
        assert woken == ["b", "c"]
        assert slots.try_acquire("c")
        stop.set()
        slots.wake_all()
        await asyncio.gather(*tasks)
        return woken

    assert virtual_time.run(run()) == ["b", "c", "a"]
