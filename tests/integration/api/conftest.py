"""One storage and one server for each file, since a property asks them some hundred times."""

import asyncio
from collections.abc import Iterator
from uuid import uuid4

import pytest

from proxy.demo.azurite import Emulator
from tests.conftest import StartServer
from tests.support.live import LiveServer, start_server
from tests.support.storage import BUSY_SECONDS, Storage


@pytest.fixture(scope="module")
def shared_storage(emulator: Emulator) -> Iterator[Storage]:
    """An account of this file's own."""
    with Storage.open(emulator, f"account-{uuid4().hex[:12]}") as opened:
        yield opened


@pytest.fixture(scope="module")
def shared_server(shared_storage: Storage) -> Iterator[LiveServer]:
    """A live server in front of that account."""
    with start_server(shared_storage) as running:
        yield running


@pytest.fixture
def start_patient(start: StartServer, monkeypatch: pytest.MonkeyPatch) -> StartServer:
    """Starts servers whose looks for changes of keys take as long as other reads: a busy machine is no outage."""
    monkeypatch.setattr("adapters.tables.key_table.LOOK_SECONDS", BUSY_SECONDS)
    return start


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    """Runs the adapters' coroutines, all in one loop: connections stay with the loop that opened them."""
    with asyncio.Runner() as runner:
        yield runner
