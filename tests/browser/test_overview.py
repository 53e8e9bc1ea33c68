"""The overview stays true while it stays open."""

import pytest
from playwright.sync_api import expect

from tests.browser.pages import Site
from tests.support.console_browser import Tab

pytestmark = pytest.mark.slow

STALE = "This page is old"


def test_the_page_renews_itself(site: Site, tab: Tab) -> None:
    page = tab.page
    page.clock.install()
    tab.open(site.local.url + "/")
    link = page.get_by_role("link", name="Keys of")
    link.focus()
    page.evaluate("document.querySelector('.summary').textContent = 'of before'")
    page.clock.run_for(11_000)
    expect(page.locator(".summary")).not_to_have_text("of before")
    expect(link).to_be_focused()  # a reader with a keyboard loses no place
    page.clock.run_for(11_000)
    expect(page.locator("#overview")).to_have_count(1)


def test_a_page_that_gets_no_news_says_so(site: Site, tab: Tab) -> None:
    tab.page.clock.install(time=0)
    tab.page.clock.pause_at(1)  # so that it asks for none
    tab.open(site.local.url + "/")
    stale = tab.page.get_by_text(STALE)
    expect(stale).to_be_hidden()
    tab.page.evaluate("document.getAnimations().forEach((each) => each.finish())")
    expect(stale).to_be_visible()
    stale.get_by_role("link").click()
    expect(tab.page.get_by_text(STALE)).to_be_hidden()


def test_a_problem_leads_to_its_jobs(site: Site, tab: Tab) -> None:
    tab.open(site.local.url + "/")
    link = tab.page.get_by_role("link", name="Aborted jobs of")
    target = link.get_attribute("href") or ""
    assert target.startswith(f"/jobs?account={site.samples.storage.account}&status=Aborted&since=20")
