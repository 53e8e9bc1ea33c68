"""Fixtures of the write side."""

import pytest

from tests.support.live import LiveServer
from tests.support.storage import Storage
from tests.support.stored_jobs import Written


@pytest.fixture
def written(storage: Storage, server: LiveServer) -> Written:
    """What lies in the test's account; the server has made its tables and its queue."""
    assert server.port
    return Written(storage)
