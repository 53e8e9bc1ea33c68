"""Fixtures that every kind of test shares: a real Azurite, an account of the test's own in it, and a live server."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings

from proxy.demo.azurite import Emulator, start_emulator
from tests.support.live import LiveServer, start_server
from tests.support.storage import Storage

# A terminal may have settings of its own: the demo prints some to export. They are read when a module is imported, too.
for variable in [name for name in os.environ if name.startswith("PROXY_")]:
    del os.environ[variable]

MASTER = "master-key"
QUERY = "query-key"

# No deadline: a busy machine is no bug. Several requests an example are what these tests are for. How many drawn
# examples are of no use is luck. A test that suppresses another check must name these again.
settings.register_profile(
    "properties", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
settings.load_profile("properties")

StartServer = Callable[..., LiveServer]


@pytest.fixture
def anyio_backend() -> str:
    """Tests that are coroutines, marked `anyio`, run on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """One Azurite for this process, on free ports, ended with it."""
    with start_emulator() as running:
        yield running


@pytest.fixture(scope="module")
def account(emulator: Emulator) -> Iterator[Storage]:
    """An account that the tests of one file share: quicker, for what doesn't look at all of its rows."""
    with Storage.open(emulator, f"account-{uuid4().hex[:12]}") as opened:
        yield opened


@pytest.fixture(scope="module")
def proxy(account: Storage) -> Iterator[LiveServer]:
    """A live server with default settings in front of the shared account."""
    with start_server(account) as running:
        yield running


@pytest.fixture
def storage(emulator: Emulator) -> Iterator[Storage]:
    """An account that no other test knows: a partition, a table and a container of its own."""
    with Storage.open(emulator, f"account-{uuid4().hex[:12]}") as opened:
        yield opened


@pytest.fixture
def start() -> Iterator[StartServer]:
    """Starts live servers that end with the test: `start(storage, output_links="redirect", keys={...})`."""
    with ExitStack() as stack:
        yield lambda storage, **options: stack.enter_context(start_server(storage, **options))


@pytest.fixture
def server(storage: Storage, start: StartServer) -> LiveServer:
    """A live server with default settings, a master and a query key, in front of the test's account."""
    return start(storage)


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """Puts pytest's own handlers back: a command configures logging, and what it wrote to ends with its test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
