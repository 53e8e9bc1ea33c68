"""Each row of `make soak`, small."""

import asyncio

import pytest

from benchmarks.soak import loris as slow_loris
from benchmarks.soak.figures import Figure
from benchmarks.soak.fuzzing import fuzzing
from benchmarks.soak.hostile import hostile
from benchmarks.soak.kills import kills
from benchmarks.soak.polling import polling
from proxy.server import http_protocol as protocol
from tests.conftest import StartServer
from tests.support.storage import BUSY_SECONDS, Storage

pytestmark = pytest.mark.slow


def _broken(figures: list[Figure]) -> list[str]:
    return [figure.line() for figure in figures if not figure.kept]


def test_hostile_requests_break_nothing(storage: Storage) -> None:
    assert _broken(list(hostile(storage, requests=2_000))) == []


def test_memory_stays_the_same_however_often_is_polled(storage: Storage) -> None:
    assert _broken(list(polling(storage, requests=20_000))) == []


def test_unfinished_requests_are_ended_and_delay_no_other(
    storage: Storage, start: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 1.0)
    server = start(storage)
    # A machine that stops for seconds makes answers late; without a bound, a held connection lasts for longer.
    figures = asyncio.run(slow_loris.hold(server.port, storage, 48, 1.0, slack=BUSY_SECONDS, slowest=BUSY_SECONDS))
    assert _broken(figures) == []


def test_damaged_files_load_or_are_refused_with_a_reason(storage: Storage) -> None:
    assert _broken(list(fuzzing(storage, files=210, seed=5))) == []


def test_killed_workers_lose_nothing_while_storage_fails(storage: Storage) -> None:
    assert _broken(list(kills(storage, count=2, seed=5, sources=3))) == []
