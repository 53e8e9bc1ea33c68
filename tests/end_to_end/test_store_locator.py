"""`docs/examples/store-locator.html` in a real browser, from another origin, against the demo."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from tests.support.browser import PROGRAM, Page, browsing
from tests.support.demo_process import Demo, running_demo
from tests.support.live import wait_for
from tests.support.processes import ROOT

EXAMPLE = ROOT / "docs" / "examples" / "store-locator.html"
SHOPS = "[...document.querySelectorAll('li')].map(item => item.innerText.replaceAll('\\n', ' '))"
SUMMARY = "document.querySelector('[role=status]')?.textContent"
DRAWN = "document.querySelectorAll('circle.shop').length"
# Nearby the place of the page; its name would run if it became markup.
MARKUP = '<img src="http://127.0.0.1:9/" onerror="console.error(1)"><b>bold</b>'

pytestmark = pytest.mark.slow


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files without a word."""

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def serving_files(folder: Path) -> Iterator[str]:
    """Serves a folder from an origin of its own."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(5)


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with running_demo() as started:
        yield started


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    if PROGRAM is None:
        pytest.skip("no Chromium on this machine: the store locator is not tried in a browser")
    with browsing(PROGRAM, tmp_path / "profile") as opened:
        yield opened


def search(page: Page, transport: str, radius: int = 10) -> None:
    page.run(
        f"form.elements.transport.value = '{transport}'; form.elements.radius.value = '{radius}';"
        "message.textContent = ''; form.querySelector('button').click()"
    )


@pytest.mark.parametrize("origin", ["http", "file"])
def test_the_page_finds_shops_by_fetch_and_by_jsonp(page: Page, demo: Demo, origin: str) -> None:
    with serving_files(EXAMPLE.parent) as host:
        page.open(f"{host if origin == 'http' else EXAMPLE.parent.as_uri()}/{EXAMPLE.name}?base={demo.base}")
        page.wait_for(f"document.readyState === 'complete' && {SUMMARY} === '1 to 5 of 8'")
        first = page.run(SHOPS)
        assert len(first) == page.run(DRAWN) == 5
        assert first[0] == "Fourth Coffee Store #8051 1.6 km 3 Bloomfield Ave, Verona, 1-800-XXX-XXXX"
        pages = {}
        for transport in ("fetch", "jsonp"):
            search(page, transport)
            page.wait_for(f"{SUMMARY} === '1 to 5 of 8'")
            pages[transport] = [page.run(SHOPS)]
            page.run("next.click()")
            page.wait_for(f"{SUMMARY} === '6 to 8 of 8'")
            assert page.run("[list.start, next.disabled, previous.disabled]") == [6, True, False]
            pages[transport].append(page.run(SHOPS))
            page.run("previous.click()")
            page.wait_for(f"{SUMMARY} === '1 to 5 of 8'")
        assert pages["fetch"] == pages["jsonp"]
        assert pages["fetch"][0] == first
        assert len({*first, *pages["fetch"][1]}) == 8
        search(page, "jsonp", radius=1)
        page.wait_for(f"{SUMMARY} === 'Nothing is near.'")
        asked = page.run("performance.getEntriesByType('resource').map(each => each.initiatorType)")
        assert {"fetch", "script"} <= set(asked)
    assert page.errors == []


def test_a_reason_is_shown(page: Page, demo: Demo) -> None:
    page.open(f"{EXAMPLE.as_uri()}?base={demo.base}&key=wrong")
    page.wait_for(f"{SUMMARY}?.startsWith('The key is not known.')")
    search(page, "jsonp")
    page.wait_for(f"{SUMMARY}.startsWith('The query failed')")


def test_data_never_becomes_markup(page: Page, demo: Demo) -> None:
    head = "Bing Spatial Data Services, 1.0, FourthCoffeeShops"
    texts = "EntityID(Edm.String,primaryKey)|Name(Edm.String)|Phone(Edm.String)"
    columns = f"{texts}|Latitude(Edm.Double)|Longitude(Edm.Double)"
    query = "dataSourceName=FourthCoffeeSample&loadOperation=incremental&input=pipe&key=demo-master-key"
    data = f"{head}\n{columns}\nmarkup|{MARKUP}|{MARKUP}|-40|170\n".encode()
    created = httpx.post(f"{demo.base}/REST/v1/Dataflows/LoadDataSource?{query}", content=data)
    assert created.status_code == 201
    status = f"{created.headers['Location']}?key=demo-master-key"
    wait_for(lambda: '"status":"Completed"' in httpx.get(status).text)
    page.open(f"{EXAMPLE.as_uri()}?base={demo.base}")
    page.wait_for("document.readyState === 'complete'")
    page.run("form.elements.latitude.value = '-40'; form.elements.longitude.value = '170'")
    search(page, "fetch")
    page.wait_for(f"{SUMMARY} === '1 to 1 of 1'")
    assert page.run(SHOPS)[0].count(MARKUP) == 2
    assert page.run("document.querySelectorAll('main img, main b b').length") == 0
    assert page.errors == []
