"""Fixtures of the write side."""

import pytest

from tests.live import LiveServer
from tests.storage import Storage
from tests.write.written import Written


@pytest.fixture
def written(storage: Storage, server: LiveServer) -> Written:
    """What lies in the test's account; the server has made its tables and its queue."""
    assert server.port
    return Written(storage)
