"""The tests of pages notice what they are for."""

import time

import pytest

from tests.browser.conftest import OpenTab
from tests.browser.pages import Site
from tests.browser.test_pages import find_overflow
from tests.support.console_browser import AXE, Tab

pytestmark = pytest.mark.slow

SECONDS = 60.0


def wrong_after(tab: Tab, script: str) -> str:
    """What a tab says is wrong after a script. What it notices later, which may be more of the same, counts no more."""
    tab.page.evaluate(script)
    end = time.monotonic() + SECONDS
    while not tab.wrong:
        assert time.monotonic() < end, f"nothing is noticed of {script}"
        tab.page.wait_for_timeout(50)
    found, tab.wrong[:], tab.is_over = " ".join(tab.wrong), [], True
    return found


@pytest.mark.parametrize(
    ("script", "noticed"),
    [
        ("console.error('it broke')", "it broke"),
        ("setTimeout(() => { throw new Error('it broke') })", "it broke"),
        ("fetch('http://192.0.2.1/').catch(() => null)", "Content Security Policy"),
        ("document.body.append(Object.assign(new Image(), {src: 'https://example.com/a.png'}))", "example.com"),
        ("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">x</p>')", "inline style"),
        ("document.body.append(Object.assign(document.createElement('script'), {text: '1'}))", "inline script"),
        ("fetch('/no-such-page')", "404"),
    ],
)
def test_what_goes_wrong_in_a_page_is_noticed(site: Site, tab: Tab, script: str, noticed: str) -> None:
    tab.open(site.local.url + "/audit")
    assert noticed in wrong_after(tab, script)


def test_a_request_that_leaves_the_machine_is_noticed(site: Site, open_tab: OpenTab) -> None:
    tab = open_tab(bypass_csp=True)
    tab.open(site.local.url + "/audit")
    assert "request to http://192.0.2.1/" in wrong_after(tab, "fetch('http://192.0.2.1/').catch(() => null)")


def test_a_page_that_is_too_wide_is_noticed(site: Site, open_tab: OpenTab) -> None:
    tab = open_tab("narrow")
    tab.open(site.local.url + "/audit")
    tab.page.evaluate("document.querySelector('h1').style.width = '500px'")
    assert find_overflow(tab) == ["H1 ", "the page scrolls sideways"]


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed; `make axe` does that")
def test_what_is_not_accessible_is_noticed(site: Site, tab: Tab) -> None:
    tab.open(site.local.url + "/audit")
    tab.page.evaluate("document.querySelector('main').append(document.createElement('input'))")
    tab.page.evaluate("document.querySelector('h1').style.color = '#ddd'")
    found = tab.find_violations()
    assert [text.split(":")[0] for text in found] == ["color-contrast", "label"]
