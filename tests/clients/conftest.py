"""What the tests of clients share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.geocoding import Geocoding, start_geocoding
from tests.support.storage import Storage


@pytest.fixture(scope="module")
def geocoding(account: Storage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Geocoding]:
    """A server and a worker before the stand-in for Azure Maps, for the tests of one file."""
    with start_geocoding(account, Path(tmp_path_factory.mktemp("worker"))) as started:
        yield started
