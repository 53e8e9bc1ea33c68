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


def find_overflows(tab: Tab) -> dict[str, list[str]]:
    """The same at every width of a window, by its name, without those where nothing is. It is wide afterwards."""
    found = dict[str, list[str]]()
    for width in SIZES:
        resize(tab, width)
        found[width] = find_overflow(tab)
    tab.page.set_viewport_size({"width": NARROWEST, "height": SIZES["narrow"][1]})
    found["narrowest"] = find_overflow(tab)
    resize(tab, "wide")
    return {width: overflow for width, overflow in found.items() if overflow}


def find_all_violations(tab: Tab) -> dict[str, list[str]]:
    """What axe-core finds that is serious, on a wide and on a narrow window and in the dark, as far as it is installed.

    The window is wide and light before and afterwards.
    """
    if not AXE.exists():
        return {}
    found = {"wide": tab.find_violations()}
    resize(tab, "narrow")
    found["narrow"] = tab.find_violations()
    tab.page.emulate_media(color_scheme="dark")
    found["dark"] = tab.find_violations("color-contrast")
    tab.page.emulate_media(color_scheme="light")
    resize(tab, "wide")
    return {where: violations for where, violations in found.items() if violations}


def check_page(tab: Tab) -> None:
    """Fails if the page that is open does not fit, or is not accessible."""
    assert (find_overflows(tab), find_all_violations(tab)) == ({}, {})


@each_page
def test_a_page_fits_and_is_accessible(page: ConsolePage, site: Site, tab: Tab) -> None:
    site.open(page, tab)
    check_page(tab)


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed; `make axe` does that")
def test_axe_looks_at_pages() -> None:
    """Where it is not installed, the tests above look at the rest, and this one says so."""
