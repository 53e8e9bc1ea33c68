"""Debian's Chromium, driven by Playwright, as tests of the console use it."""

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import get_ident
from typing import Any, Literal, TypeVar

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

_T = TypeVar("_T")

_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
AXE = Path(__file__).parents[1] / "browser" / "node_modules" / "axe-core" / "axe.min.js"

Width = Literal["wide", "narrow"]
Scheme = Literal["light", "dark"]
SIZES: dict[Width, tuple[int, int]] = {"wide": (1280, 900), "narrow": (390, 844)}

# No name but this machine's resolves, so that a request that leaves it fails although the test sees it too.
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
_OURS = ("http://127.0.0.1:", "data:", "blob:http://127.0.0.1:", "about:")

_SERIOUS = """async (rules) => {
  const options = rules ? {runOnly: {type: 'rule', values: rules}} : {};
  const found = await axe.run(document, options);
  return found.violations.filter((each) => ['serious', 'critical'].includes(each.impact)).map(
    (each) => `${each.id}: ${each.help}: ${each.nodes.slice(0, 3).map((node) => node.target.join(' ')).join(' | ')}`);
}"""


@dataclass
class Tab:
    """A page of a browser's own context, and all that went wrong in it."""

    context: BrowserContext
    page: Page
    wrong: list[str] = field(default_factory=list)
    expected: str = ""
    """A URL that the server refuses: the browser's message of that is no error."""
    is_over: bool = False
    """Whether nothing is noted any more."""

    def __post_init__(self) -> None:
        """Listens for requests and errors of every page of the context."""
        self.context.on("request", self._note_request)
        self.context.on("console", self._note_console)
        self.context.on("weberror", lambda error: self._note(f"script error: {error.error}"))

    def open(self, url: str, status: int = 200) -> None:
        """Opens a page that must have this status."""
        self.expected = url if status != 200 else ""
        response = self.page.goto(url)
        assert response is not None
        assert response.status == status, (url, response.status, self.page.inner_text("main"))

    def find_violations(self, *rules: str) -> list[str]:
        """What axe-core finds that is serious or critical, by these rules or by all."""
        if self.page.evaluate("typeof axe") == "undefined":
            self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate(_SERIOUS, list(rules) or None)
        return [str(each) for each in found]

    def _note_request(self, request: Request) -> None:
        if not request.url.startswith(_OURS):
            self._note(f"request to {request.url}")

    def _note_console(self, message: ConsoleMessage) -> None:
        is_expected = bool(self.expected) and message.location.get("url") == self.expected
        if message.type in {"error", "warning"} and not is_expected:
            self._note(f"console {message.type}: {message.text}")

    def _note(self, what: str) -> None:
        if not self.is_over:
            self.wrong.append(what)


class BrowserThread:
    """A browser in a thread of its own.

    While Playwright runs in a thread, no other event loop does there; the tests' own need one.
    """

    def __init__(self, thread: ThreadPoolExecutor, browser: Browser) -> None:
        self._thread = thread
        self._browser = browser
        self._ident = thread.submit(get_ident).result()

    @classmethod
    @contextmanager
    def launch(cls, program: str) -> Iterator["BrowserThread"]:
        """Starts a browser that ends with the block."""
        with ThreadPoolExecutor(1, "browser") as thread:
            playwright = thread.submit(lambda: sync_playwright().start()).result()
            try:
                expect.set_options(timeout=60_000)  # a machine may stall
                launch = partial(playwright.chromium.launch, executable_path=program, args=list(_FLAGS))
                browser = thread.submit(launch, timeout=60_000).result()
                try:
                    yield cls(thread, browser)
                finally:
                    thread.submit(browser.close).result()
            finally:
                thread.submit(playwright.stop).result()

    def run(self, work: Callable[[], _T]) -> _T:
        """Does work in the browser's thread, from that thread or another."""
        return work() if get_ident() == self._ident else self._thread.submit(work).result()

    @contextmanager
    def tab(self, width: Width = "wide", scheme: Scheme = "light", **options: Any) -> Iterator[Tab]:
        """Opens a page in a context of its own. Fails at its end if anything went wrong in it."""

        def open_tab() -> Tab:
            wide, high = SIZES[width]
            context = self._browser.new_context(
                viewport={"width": wide, "height": high}, color_scheme=scheme, reduced_motion="reduce", **options
            )
            context.set_default_timeout(60_000)
            return Tab(context, context.new_page())

        tab = self.run(open_tab)
        try:
            yield tab
        finally:
            self.run(tab.context.close)
        assert tab.wrong == []
