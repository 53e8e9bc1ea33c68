"""One browser and one account with samples for all of these tests of a process."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from proxy.demo.azurite import Emulator
from tests.browser.pages import Site
from tests.support.console import LiveConsole, start_console
from tests.support.console_browser import CHROMIUM, BrowserThread, Tab
from tests.support.console_samples import (
    MAPS_VARIABLE,
    OTHER_SOURCE,
    show_workers,
    write_console_samples,
    write_sample_reports,
)
from tests.support.console_stage import ConsoleStage
from tests.support.live import PUBLIC_URL
from tests.support.sent_loads import send_file
from tests.support.storage import Storage
from tests.support.worker_desk import shops

OpenTab = Callable[..., Tab]

TOKEN = "a-token-for-the-tests-of-browsers"  # noqa: S105 - no secret
SENT = shops("north", "south", "west", note="open", more="east,open,91,2\nisland,open,1")
"""A file for a load. Two of its entities can't be loaded."""
WORKERS_SECONDS = 20.0

_beats = list[float]()

# Fixtures end with the last of these tests: consoles that go on would be seen by tests of the whole process.


@pytest.fixture(scope="package")
def browser() -> Iterator[BrowserThread]:
    """A browser; without one on this machine, tests are skipped."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine; install the package chromium, or name one in CHROMIUM")
    with BrowserThread.launch(CHROMIUM) as running:
        yield running


@pytest.fixture(scope="package")
def site(browser: BrowserThread, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Consoles in front of an account with samples."""
    assert browser  # without one, nothing is written
    folder = tmp_path_factory.mktemp("console")
    token, ring, reports = folder / "token", folder / "ring.json", folder / "reports"
    token.write_text(TOKEN, encoding="utf-8")
    reports.mkdir()
    write_sample_reports(reports)
    with ExitStack() as stack:
        stack.enter_context(pytest.MonkeyPatch.context()).setenv(MAPS_VARIABLE, "no-key")  # nobody asks Azure Maps
        storage = stack.enter_context(Storage.open(emulator, "northwind"))
        samples = write_console_samples(storage)
        ring.write_text(json.dumps(samples.ring), encoding="utf-8")  # a file, so that pages may change keys
        common: dict[str, Any] = {"keyring_file": ring, "reports_dir": reports, "public_url": PUBLIC_URL}

        def start(**settings: Any) -> LiveConsole:
            return stack.enter_context(start_console(storage, **common, **settings))

        local = start()
        preview = send_file(local, storage.account, SENT, datasourcename=OTHER_SOURCE).path
        yield Site(samples, preview, local, start(console_token_file=token), start(console_read_only=True), TOKEN)


@pytest.fixture(scope="package")
def stage(
    browser: BrowserThread, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ConsoleStage]:
    """An account whose jobs a worker does, for changes. The samples of `site` stay as they are."""
    assert browser  # without one, nothing is started
    with (
        Storage.open(emulator, "fabrikam") as storage,
        ConsoleStage.open(storage, tmp_path_factory.mktemp("worker")) as opened,
    ):
        yield opened


@pytest.fixture(autouse=True)
def _live_workers(site: Site) -> None:
    """The samples' workers stay alive as long as tests look at them."""
    if not _beats or time.monotonic() - _beats[-1] > WORKERS_SECONDS:
        show_workers(site.samples.storage)
        _beats.append(time.monotonic())


@pytest.fixture
def open_tab(browser: BrowserThread) -> Iterator[OpenTab]:
    """Opens tabs that end with the test: `open_tab("narrow", "dark", java_script_enabled=False)`."""
    with ExitStack() as stack:
        yield lambda *choices, **options: stack.enter_context(browser.tab(*choices, **options))


@pytest.fixture
def tab(open_tab: OpenTab) -> Tab:
    """A wide and light tab."""
    return open_tab()


@pytest.fixture(autouse=True)
def _in_the_thread_of_the_browser(request: pytest.FixtureRequest, browser: BrowserThread) -> None:
    """The test's body runs in the browser's thread. An event loop runs in another one (ConsoleStage.play)."""
    body = request.function
    request.node.obj = lambda **arguments: browser.run(lambda: body(**arguments))
