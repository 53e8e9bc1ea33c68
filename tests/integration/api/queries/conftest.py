"""Fixtures of queries: servers whose files of versions are in a folder of the test's own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.live import LiveServer
from tests.support.queries import start_querying
from tests.support.query_fixtures import samples, served, shops
from tests.support.storage import Storage

__all__ = ["samples", "served", "shops"]

StartQuerying = Callable[..., LiveServer]


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
