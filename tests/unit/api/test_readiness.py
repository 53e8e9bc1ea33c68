"""Which accounts a process looks at by itself, and whether it is ready."""

import asyncio
import time
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, cast

import pytest

from adapters.circuit_breaker import CircuitBreaker
from adapters.errors import StorageError, StorageErrorCode
from proxy.api import readiness
from proxy.api.readiness import LOOKS, Readiness
from proxy.keyring.reload import ActiveKeyRing


class Looked:
    """Accounts without storage: those whose names begin with `bad` fail."""

    def __init__(self, *names: str) -> None:
        self.names = list(names)
        self.faults: dict[str, StorageError] = {}
        self.asked: list[str] = []
        self._opened = {
            name: SimpleNamespace(circuit_breaker=CircuitBreaker(1), job_cache=self._remembered(name)) for name in names
        }

    def __getitem__(self, name: str) -> Any:
        """As `Accounts` gives an account."""
        return self._opened[name]

    def _remembered(self, name: str) -> Any:
        async def read() -> None:
            if name.startswith("bad"):
                raise StorageError(StorageErrorCode.ACCESS_DENIED)

        async def look(_seconds: float) -> None:
            self.asked.append(name)
            with suppress(StorageError):
                await self[name].circuit_breaker.call(read)

        return SimpleNamespace(probe=look)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "LOOK_EVERY", 0.0)
    monkeypatch.setattr(readiness, "FIRST_WAIT", 30.0)


def looks(accounts: Looked, count: int) -> Readiness:
    """So many looks one after the other."""
    made = Readiness(cast(ActiveKeyRing, SimpleNamespace(accounts=accounts)))

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
        raise StorageError(StorageErrorCode.TIMEOUT)

    with pytest.raises(StorageError):
        asyncio.run(accounts["a"].circuit_breaker.call(fail))
    assert made.is_ready
    monkeypatch.setattr(readiness, "PASSING_SECONDS", 0.0)
    time.sleep(0.001)
    assert not made.is_ready
