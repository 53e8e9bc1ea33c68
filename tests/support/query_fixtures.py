"""Fixtures of tests that query: conftest.py of each of their folders imports them."""

from collections.abc import Iterator

import pytest

from tests.support.live import LiveServer
from tests.support.queries import Queries, load, load_samples, start_querying, stores
from tests.support.storage import Storage

MANY = 600
"""Entities of the data source that takes pages."""


@pytest.fixture(scope="module")
def samples(account: Storage) -> Storage:
    """An account with the contract's data sources."""
    load_samples(account)
    return account


@pytest.fixture(scope="module")
def served(samples: Storage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server in front of that account."""
    with start_querying(samples, tmp_path_factory.mktemp("versions") / "files") as server:
        yield server


@pytest.fixture(scope="module")
def shops(served: LiveServer) -> Queries:
    """Queries the shops of FourthCoffeeSample."""
    return Queries(served)


@pytest.fixture(scope="module")
def many(served: LiveServer, samples: Storage) -> Queries:
    """Queries a data source of MANY stores, of the ids s000000 and so on."""
    load(samples, stores(count=MANY), "Many")
    return Queries(served, "Many")
