"""Fixtures of queries: servers whose files of versions are in a folder of the test's own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.live import LiveServer
from tests.support.queries import Queries, load_samples, start_querying
from tests.support.storage import Storage

StartQuerying = Callable[..., LiveServer]


@pytest.fixture(scope="module")
def samples(shared_storage: Storage) -> Storage:
    """An account with the contract's data sources."""
    load_samples(shared_storage)
    return shared_storage


@pytest.fixture(scope="module")
def served(samples: Storage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server in front of that account."""
    with start_querying(samples, tmp_path_factory.mktemp("versions") / "files") as server:
        yield server


@pytest.fixture(scope="module")
def shops(served: LiveServer) -> Queries:
    """Queries the shops of FourthCoffeeSample."""
    return Queries(served)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the files of versions are."""
    return tmp_path / "files"


@pytest.fixture
def querying(folder: Path) -> Iterator[StartQuerying]:
    """Starts servers that end with the test, all with that folder unless another is named."""
    with ExitStack() as stack:

        def start(storage: Storage, of: Path = folder, **settings: Any) -> LiveServer:
            return stack.enter_context(start_querying(storage, of, **settings))

        yield start
