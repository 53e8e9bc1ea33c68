"""Tests of the worker are coroutines. They run on one event loop, which the reader processes belong to."""

import inspect
from collections.abc import Iterator

import pytest

from tests.support.storage import Storage
from tests.support.worker_desk import READERS, RUNNER, Desk, open_desk


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs a test that is a coroutine function."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    RUNNER.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture(scope="session", autouse=True)
def _close_readers() -> Iterator[None]:
    """Ends the shared readers with the tests, so that their coverage counts."""
    yield
    RUNNER.run(READERS.close())


@pytest.fixture
def lease_seconds() -> int:
    """How long a worker has a job without renewing its lease; a test may parametrize it."""
    return 30


@pytest.fixture
def desk(storage: Storage, lease_seconds: int) -> Iterator[Desk]:
    """An account of the test's own."""
    opened = open_desk(storage, lease_seconds)
    yield RUNNER.run(opened.__aenter__())
    RUNNER.run(opened.__aexit__(None, None, None))
