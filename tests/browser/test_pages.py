"""Every page, wide and narrow, in light and in dark."""

import pytest

from tests.browser.pages import ConsolePage, Site, each_page
from tests.support.console_browser import AXE, SIZES, Tab, Width

pytestmark = pytest.mark.slow

NARROWEST = 360
"""Pixels at which the page itself must not scroll sideways yet."""

_OVERFLOW = """() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  const wide = [...document.body.querySelectorAll('*')].filter(
    (each) => each.getBoundingClientRect().right > room + 1 && !each.closest('.table > *, pre > *'));
  return wide.slice(0, 5).map((each) => `${each.tagName} ${each.className}`).concat('the page scrolls sideways');
}"""


def find_overflow(tab: Tab) -> list[str]:
    """What is wider than the window; nothing where the page does not scroll sideways."""
    return [str(each) for each in tab.page.evaluate(_OVERFLOW)]


def resize(tab: Tab, width: Width) -> None:
    wide, high = SIZES[width]
    tab.page.set_viewport_size({"width": wide, "height": high})


@each_page
def test_a_page_fits(page: ConsolePage, site: Site, tab: Tab) -> None:
    site.open(page, tab)
    found = {}
    for width in SIZES:
        resize(tab, width)
        found[width] = find_overflow(tab)
    tab.page.set_viewport_size({"width": NARROWEST, "height": SIZES["narrow"][1]})
    assert found | {"narrowest": find_overflow(tab)} == {"wide": [], "narrow": [], "narrowest": []}


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed; `make axe` does that")
@each_page
def test_a_page_is_accessible(page: ConsolePage, site: Site, tab: Tab) -> None:
    site.open(page, tab)
    found = {"wide": tab.find_violations()}
    resize(tab, "narrow")
    found["narrow"] = tab.find_violations()
    tab.page.emulate_media(color_scheme="dark")
    found["dark"] = tab.find_violations("color-contrast")
    assert found == {"wide": [], "narrow": [], "dark": []}
