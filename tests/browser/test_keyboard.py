"""Every page by keyboard, and without JavaScript."""

import pytest

from tests.browser.conftest import OpenTab
from tests.browser.pages import PAGES, ConsolePage, Site, each_documented_page
from tests.support.console_browser import Tab

pytestmark = pytest.mark.slow

MOST_TABS = 40
"""Presses of Tab from the top of a page to the first thing in it."""

_FOCUS = """() => {
  const focused = document.activeElement, style = getComputedStyle(focused), box = focused.getBoundingClientRect();
  return {
    where: focused.closest('main') && focused.id !== 'content' ? 'main' : focused.className === 'skip' ? 'skip' : 'top',
    isSeen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2
      && box.width > 0 && box.left >= 0 && box.bottom > 0,
    name: `${focused.tagName} ${focused.textContent.trim().slice(0, 30)}`,
  };
}"""
_FOCUSABLE = "main :is(a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0'])"


@each_documented_page
def test_a_page_is_used_by_keyboard(page: ConsolePage, site: Site, tab: Tab) -> None:
    site.open(page, tab)
    has_action = tab.page.locator(_FOCUSABLE).count() > 0
    tab.page.evaluate("document.activeElement.blur()")  # of a field that has the focus already
    seen = []
    for _ in range(MOST_TABS):
        tab.page.keyboard.press("Tab")
        seen.append(tab.page.evaluate(_FOCUS))
        if seen[-1]["where"] == "main" or seen[-1]["name"].startswith("BODY"):
            break
    wanted = [each for each in seen if not each["name"].startswith("BODY")]
    assert [each["name"] for each in wanted if not each["isSeen"]] == []
    assert ("main" in {each["where"] for each in seen}) == has_action

    skip = tab.page.locator("a.skip")
    skip.focus()
    assert tab.page.evaluate(_FOCUS)["isSeen"]
    tab.page.keyboard.press("Enter")
    assert tab.page.evaluate("document.activeElement.id") == "content"
    if has_action:
        tab.page.keyboard.press("Tab")
        assert tab.page.evaluate(_FOCUS)["where"] == "main"


def test_no_page_needs_a_script(site: Site, open_tab: OpenTab) -> None:
    tab = open_tab(java_script_enabled=False)
    for page in PAGES:
        site.open(page, tab)
        assert tab.page.locator("script:not([src]), [onclick], [style]").count() == 0, page.name
