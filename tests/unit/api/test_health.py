"""Which accounts a process looks at by itself, and whether it is ready."""

import asyncio
import time
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, cast

import pytest

from adapters.circuit_breaker import CircuitBreaker
from adapters.errors import StorageError, StorageErrorCode
from proxy.api import health
from proxy.api.health import MAX_PROBES, Readiness
from proxy.keyring.reload import ActiveKeyRing


class Looked:
    """Accounts without storage: those whose names begin with `bad` fail."""

    def __init__(self, *names: str) -> None:
        self.names = list(names)
        self.errors: dict[str, StorageError] = {}
        self.asked: list[str] = []
        self._opened = {
            name: SimpleNamespace(circuit_breaker=CircuitBreaker(60), job_cache=self._remembered(name))
            for name in names
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
    monkeypatch.setattr(health, "PROBE_INTERVAL_S", 0.0)
    monkeypatch.setattr(health, "FIRST_WAIT_S", 30.0)
    monkeypatch.setattr(health, "CONDITION_MAX_AGE_S", 3600.0)


def looks(accounts: Looked, count: int, *, are_keys_ready: bool = True) -> Readiness:
    """So many looks one after the other."""
    keys = SimpleNamespace(is_ready=are_keys_ready)
    made = Readiness(cast(ActiveKeyRing, SimpleNamespace(accounts=accounts, keys=keys)))

    async def look() -> None:
        for _ in range(count):
            await made.probe()

    asyncio.run(look())
    return made


def test_nothing_is_ready_before_it_was_read() -> None:
    assert not looks(Looked("a"), 0).is_ready
    assert looks(Looked("a"), 1).is_ready
    assert looks(Looked(), 0).is_ready


def test_nothing_is_ready_before_keys_can_be_found() -> None:
    assert not looks(Looked("a"), 1, are_keys_ready=False).is_ready


def test_an_ending_process_is_not_ready() -> None:
    made = looks(Looked("a"), 1)
    made.stopping = True
    assert not made.is_ready


def test_one_healthy_account_is_enough_to_be_ready() -> None:
    accounts = Looked("a", "bad1", "bad2")
    assert looks(accounts, 20).is_ready
    assert accounts.asked == ["a", "bad1", "bad2"]


def test_of_idle_accounts_only_one_is_probed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CONDITION_MAX_AGE_S", 0.0)
    accounts = Looked(*"abcdef")
    assert looks(accounts, 5).is_ready
    assert accounts.asked == [*"abcdef", *"aaaa"]


def test_broken_accounts_are_probed_a_few_at_a_time() -> None:
    accounts = Looked(*(f"bad{number}" for number in range(3 * MAX_PROBES)))
    assert not looks(accounts, 3).is_ready
    assert sorted(accounts.asked) == sorted(accounts.names)


def test_an_account_that_fails_for_a_moment_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "FAILURE_GRACE_S", 3600.0)
    accounts = Looked("a")
    made = looks(accounts, 1)

    async def fail() -> None:
        raise StorageError(StorageErrorCode.TIMEOUT)

    with pytest.raises(StorageError):
        asyncio.run(accounts["a"].circuit_breaker.call(fail))
    assert made.is_ready
    monkeypatch.setattr(health, "FAILURE_GRACE_S", 0.0)
    time.sleep(0.001)
    assert not made.is_ready
