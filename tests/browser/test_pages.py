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


def check_page(tab: Tab) -> None:
    """Fails if the page that is open scrolls sideways, or is not accessible as far as axe-core is installed.

    It is wide before and afterwards.
    """
    found = {"wide": find_overflow(tab), "accessible": tab.find_violations() if AXE.exists() else []}
    resize(tab, "narrow")
    found["narrow"] = find_overflow(tab)
    found["accessible narrow"] = tab.find_violations() if AXE.exists() else []
    tab.page.set_viewport_size({"width": NARROWEST, "height": SIZES["narrow"][1]})
    found["narrowest"] = find_overflow(tab)
    tab.page.emulate_media(color_scheme="dark")
    found["dark"] = tab.find_violations("color-contrast") if AXE.exists() else []
    tab.page.emulate_media(color_scheme="light")
    resize(tab, "wide")
    assert {what: problems for what, problems in found.items() if problems} == {}


@each_page
def test_a_page_fits_and_is_accessible(page: ConsolePage, site: Site, tab: Tab) -> None:
    site.open(page, tab)
    check_page(tab)


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed; `make axe` does that")
def test_axe_looks_at_pages() -> None:
    """Where it is not installed, the tests above look at the rest, and this one says so."""
