"""Names and values of the worst kind, and many of them, in a real browser. `pytest -s` prints the figures."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from urllib.parse import quote

import pytest
from PIL import Image

from adapters.account import AccountStorage
from adapters.tables.audit_rows import AuditEntry
from benchmarks.rows import MINUTE_HOURS, write_jobs
from proxy.demo.azurite import Emulator
from tests.browser.conftest import OpenTab
from tests.browser.test_pages import find_overflows
from tests.support.console import start_console
from tests.support.console_browser import SIZES, Tab, Width
from tests.support.opened_account import run
from tests.support.storage import Storage
from tests.support.stored_jobs import Written, source
from tests.support.worker_desk import Desk, play, shops

pytestmark = pytest.mark.slow

SOURCES, JOBS = 25, 300

RTL, HIDDEN = "\u202e", "\u200b\u2066"
MARKUP = "<img src=x onerror=alert(1)><i>&amp;\"'"
NAME = f"{MARKUP}{RTL}abc"
"""A data source's name as a row may have it: no request makes one, but a migration or a hand may."""
WORD = "W" * 2500
SCRIPT = "</td></table><script>alert(1)</script>{{ 7*7 }}${7*7}"
TEXTS = (MARKUP, f"{RTL}txt.exe{HIDDEN}", SCRIPT, "\u0645\u0631\u062d\u0628\u0627 " * 40, "😀" * 200, WORD)

_INJECTED = "document.querySelectorAll('main :is(img, i, script, iframe, object, style, link)').length"


@dataclass(frozen=True, slots=True)
class Hostile:
    """A console in front of such data, and the paths of a job and of a data source in it."""

    url: str
    job: str
    source: str


@pytest.fixture(scope="module")
def hostile(emulator: Emulator) -> Iterator[Hostile]:
    """The data of these tests."""
    with Storage.open(emulator, "hostile") as storage, start_console(storage) as console:

        async def load(desk: Desk) -> None:
            ids = (MARKUP, f"a{RTL}b", "x" * 50, SCRIPT[:44], "=1+1")
            quoted = ['"' + each.replace('"', '""') + '"' for each in ids]
            for text in TEXTS:
                quoted_text = '"' + text.replace('"', '""') + '"'
                job = await desk.done(desk.load(shops(*quoted, note=quoted_text), name=NAME, public=True))
                assert job.processed == len(ids), job.error_message

        async def audit(account: AccountStorage) -> None:
            for text in TEXTS:
                await account.audit.write(AuditEntry(text, text, text, text, text))

        play(storage, load)
        run(storage, audit)
        Written(storage).put(*(source(f"{'n' * 40}{number}{RTL}<i>") for number in range(SOURCES)))
        write_jobs(storage, JOBS, newest_hours=2, apart_hours=MINUTE_HOURS)
        everywhere = ("DataSourceName", "ErrorMessage", "Description", "AccessId")
        jobs = {}
        for text in TEXTS:
            status = "Pending" if text is WORD else "Aborted"
            jobs[text] = storage.job(
                "DataSourceComplete", status, LegacyId=text[:60], **dict.fromkeys(everywhere, text)
            )
        base = f"/accounts/{storage.account}"
        yield Hostile(console.url, f"{base}/jobs/{jobs[WORD]}", f"{base}/sources/{quote(NAME, safe='')}")


PAGES = {
    "/": "hostile",
    "/jobs": MARKUP,
    f"/jobs?text={quote(MARKUP)}&source={quote(MARKUP)}": MARKUP,
    "/jobs?text=no-such-text": "No job fits.",
    "{job}": WORD[:100],
    "{job}/abort": WORD[:100],
    "/sources": NAME,
    f"/sources?text={quote(MARKUP)}": NAME,
    "{source}": NAME,
    "{source}/entities": SCRIPT[:44],
    "{source}/entities?$filter=Id eq '<i>": "<i>",
    f"{{source}}/entity?id={quote(MARKUP)}": MARKUP,
    f"{{source}}/map?entity={quote(MARKUP)}": MARKUP,
    "{source}/query?$format=json": MARKUP,
    "{source}/delete": NAME,
    "/audit": MARKUP,
    f"/keys?find={quote(MARKUP)}": MARKUP,
}
"""Paths with something that each page shows."""


def test_hostile_data_is_text_that_fits(hostile: Hostile, tab: Tab) -> None:
    found = {}
    for path, shown in PAGES.items():
        started = time.perf_counter()
        tab.page.goto(hostile.url + path.format(job=hostile.job, source=hostile.source))
        print(f"{(time.perf_counter() - started) * 1000:6.0f} ms  {path}")  # noqa: T201 - the figure
        overflows = find_overflows(tab)
        is_shown = shown in (tab.page.locator("main").text_content() or "")
        injected = tab.page.evaluate(_INJECTED)
        if overflows or injected or not is_shown:
            found[path] = (overflows, injected, is_shown)
    assert found == {}


@pytest.mark.parametrize("width", SIZES)
def test_a_screenshot_of_hostile_data_is_as_wide_as_the_window(
    hostile: Hostile, open_tab: OpenTab, width: Width
) -> None:
    tab = open_tab(width)
    for path in ("/jobs", hostile.job, hostile.source):
        tab.open(hostile.url + path)
        with Image.open(BytesIO(tab.page.screenshot(full_page=True))) as image:
            assert image.width == SIZES[width][0]
