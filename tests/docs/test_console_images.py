"""docs/console.md shows every page of the console, wide and narrow, light and dark."""

from itertools import product

import pytest

from tests.browser.pages import DOCUMENTED, SCREENSHOT
from tests.docs.pages import ROOT, links, read
from tests.support.screenshots import MOST_BYTES

PAGE = "docs/console.md"
EXPECTED = {
    SCREENSHOT.format(page=page.name, width=width, scheme=scheme)
    for page, width, scheme in product(DOCUMENTED, ("wide", "narrow"), ("light", "dark"))
}


@pytest.mark.skipif(not (ROOT / PAGE).exists(), reason="docs/console.md is not written yet")
def test_the_page_of_the_console_shows_every_screenshot() -> None:
    folder = ROOT / "docs" / "images"
    assert {path.name for path in folder.glob("console-*.png")} == EXPECTED
    shown = {target.rpartition("/")[2] for target in links(read(PAGE)) if target.endswith(".png")}
    assert EXPECTED - shown == set()
    assert [path.name for path in folder.glob("console-*.png") if path.stat().st_size > MOST_BYTES] == []
