"""What was recorded of our own server in front of each kind of account, once for each process."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from proxy.conformance.recording import Recording
from proxy.demo.azurite import Emulator
from tests.integration.conformance.accounts import record_of, write_every_kind, write_samples
from tests.support.live import LiveServer, start_server
from tests.support.storage import Storage


@pytest.fixture(scope="session")
def filled(emulator: Emulator) -> Iterator[LiveServer]:
    """A server in front of rows of every kind."""
    with Storage.open(emulator, f"account-{uuid4().hex[:12]}") as storage:
        write_every_kind(storage)
        with start_server(storage) as server:
            yield server


@pytest.fixture(scope="session")
def full(filled: LiveServer) -> Recording:
    """What that server was asked and answered."""
    return record_of(filled)


@pytest.fixture(scope="session")
def samples(emulator: Emulator) -> Iterator[Storage]:
    """The samples of the demo, which no test changes."""
    with Storage.open(emulator, f"account-{uuid4().hex[:12]}") as storage:
        write_samples(storage)
        yield storage


@pytest.fixture(scope="session")
def demo(samples: Storage) -> Iterator[Recording]:
    """What a server in front of them was asked and answered."""
    with start_server(samples) as server:
        yield record_of(server)


@pytest.fixture(scope="session")
def redirected(samples: Storage) -> Iterator[Recording]:
    """The same, where output links stay on the proxy."""
    with start_server(samples, output_links="redirect") as server:
        yield record_of(server)


@pytest.fixture(scope="session")
def bare(emulator: Emulator) -> Iterator[LiveServer]:
    """A server in front of an account without jobs."""
    with Storage.open(emulator, f"account-{uuid4().hex[:12]}") as storage, start_server(storage) as server:
        yield server


@pytest.fixture(scope="session")
def empty(bare: LiveServer) -> Recording:
    """What that server was asked and answered."""
    return record_of(bare)
