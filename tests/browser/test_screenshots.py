"""The screenshots of docs/console.md. `make screenshots` writes them; else some are taken and looked at."""

import os
from io import BytesIO
from itertools import product
from pathlib import Path

import pytest
from PIL import Image

from tests.browser.conftest import OpenTab
from tests.browser.pages import DOCUMENTED, SCREENSHOT, ConsolePage, Site
from tests.support.console_browser import SIZES, Scheme, Width
from tests.support.screenshots import MOST_BYTES, take_screenshot

pytestmark = pytest.mark.slow

WRITES = bool(os.environ.get("SCREENSHOTS"))
IMAGES = Path(__file__).parents[2] / "docs" / "images"


SHOTS = tuple(product(DOCUMENTED, SIZES, ("light", "dark")))


@pytest.mark.parametrize(("page", "width", "scheme"), SHOTS if WRITES else SHOTS[::7])
def test_a_screenshot_is_small(
    page: ConsolePage, width: Width, scheme: Scheme, site: Site, open_tab: OpenTab, tmp_path: Path
) -> None:
    tab = open_tab(width, scheme)
    site.open(page, tab)
    taken = take_screenshot(tab.page)
    folder = IMAGES if WRITES else tmp_path
    folder.mkdir(exist_ok=True)
    (folder / SCREENSHOT.format(page=page.name, width=width, scheme=scheme)).write_bytes(taken)
    with Image.open(BytesIO(taken)) as image:
        assert image.width == SIZES[width][0]
    assert len(taken) <= MOST_BYTES


def test_a_screenshot_is_the_same_again(site: Site, open_tab: OpenTab) -> None:
    def take() -> bytes:
        tab = open_tab()
        tab.open(site.local.url + "/")
        tab.page.wait_for_timeout(1100)  # ages are another second
        return take_screenshot(tab.page)

    assert take() == take() or take() == take()  # the bars of usage move on once an hour
