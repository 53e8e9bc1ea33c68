"""Consoles for these tests."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from adapters.sdk_calls import STORAGE_RETRIES
from tests.support.console import LiveConsole, start_console
from tests.support.inline_readers import InlineReaders
from tests.support.opened_account import run
from tests.support.storage import BUSY_SECONDS, Storage

StartConsole = Callable[..., LiveConsole]


@pytest.fixture(autouse=True)
def _patient_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets pages wait for a machine that stalls. Tests of these times set their own."""
    monkeypatch.setattr("proxy.operations.job_pages.ONE_OF_MANY_SECONDS", BUSY_SECONDS)
    monkeypatch.setattr("proxy.console.pages.load.PATIENCE", BUSY_SECONDS)


@pytest.fixture
def no_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Storage of blobs and queues that is away is asked once. Between two tries lies a second."""
    monkeypatch.setitem(STORAGE_RETRIES, "retry_total", 0)


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Consoles that start read files in threads: a process of each would take longer to start than the test."""
    monkeypatch.setattr("proxy.cli.console.ReaderPool", InlineReaders)


@pytest.fixture
def open_console() -> Iterator[StartConsole]:
    """Starts consoles that end with the test: `open_console(storage, console_read_only=True)`."""
    with ExitStack() as stack:
        yield lambda storage, **options: stack.enter_context(start_console(storage, **options))


@pytest.fixture
def console(storage: Storage, open_console: StartConsole) -> LiveConsole:
    """A console on loopback without a sign-in, in front of the test's account."""
    return open_console(storage)


@pytest.fixture
def prepared(storage: Storage) -> None:
    """The table of data sources and the queue, which the server creates elsewhere."""

    async def nothing(_account: object) -> None: ...

    run(storage, nothing)
