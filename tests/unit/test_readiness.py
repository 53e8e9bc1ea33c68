"""Which accounts a process looks at by itself, and whether it is ready."""

import asyncio
import time
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, cast

import pytest

from adapters.errors import Fault, StorageFaultError
from adapters.guard import Guard
from proxy import readiness
from proxy.readiness import LOOKS, Readiness
from proxy.ring_watch import RingInUse


class Looked:
    """Accounts without storage: those whose names begin with `bad` fail."""

    def __init__(self, *names: str) -> None:
        self.names = list(names)
        self.faults: dict[str, StorageFaultError] = {}
        self.asked: list[str] = []
        self._opened = {name: SimpleNamespace(guard=Guard(1), remembered=self._remembered(name)) for name in names}

    def __getitem__(self, name: str) -> Any:
        """As `Accounts` gives an account."""
        return self._opened[name]

    def _remembered(self, name: str) -> Any:
        async def read() -> None:
            if name.startswith("bad"):
                raise StorageFaultError(Fault.REFUSED)

        async def look(_seconds: float) -> None:
            self.asked.append(name)
            with suppress(StorageFaultError):
                await self[name].guard.run(read)

        return SimpleNamespace(look=look)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "LOOK_EVERY", 0.0)
    monkeypatch.setattr(readiness, "FIRST_WAIT", 30.0)


def looks(accounts: Looked, count: int) -> Readiness:
    """So many looks one after the other."""
    made = Readiness(cast(RingInUse, SimpleNamespace(accounts=accounts)))

    async def look() -> None:
        for _ in range(count):
            await made.look()

    asyncio.run(look())
    return made


def test_nothing_is_ready_before_it_was_read() -> None:
    assert not looks(Looked("a"), 0).is_ready
    assert looks(Looked("a"), 1).is_ready
    assert looks(Looked(), 0).is_ready


def test_who_is_ending_is_not_ready() -> None:
    made = looks(Looked("a"), 1)
    made.stopping = True
    assert not made.is_ready


def test_one_account_that_is_well_is_enough_and_broken_ones_are_looked_at_less_and_less() -> None:
    accounts = Looked("a", "bad1", "bad2")
    assert looks(accounts, 20).is_ready
    assert accounts.asked == ["a", "bad1", "bad2"]


def test_accounts_that_are_idle_are_not_all_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "RECENTLY", 0.0)
    accounts = Looked(*"abcdef")
    assert looks(accounts, 5).is_ready
    assert accounts.asked == [*"abcdef", *"aaaa"]


def test_a_process_whose_accounts_are_all_broken_goes_on_looking_at_a_few_at_a_time() -> None:
    accounts = Looked(*(f"bad{number}" for number in range(3 * LOOKS)))
    assert not looks(accounts, 3).is_ready
    assert sorted(accounts.asked) == sorted(accounts.names)


def test_an_account_that_fails_for_a_moment_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    accounts = Looked("a")
    made = looks(accounts, 1)

    async def fail() -> None:
        raise StorageFaultError(Fault.TIMEOUT)

    with pytest.raises(StorageFaultError):
        asyncio.run(accounts["a"].guard.run(fail))
    assert made.is_ready
    monkeypatch.setattr(readiness, "PASSING_SECONDS", 0.0)
    time.sleep(0.001)
    assert not made.is_ready
