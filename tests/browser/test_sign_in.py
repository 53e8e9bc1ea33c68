"""Signing in and out, in a real browser."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenTab
from tests.browser.pages import Site
from tests.support.console_browser import Tab

pytestmark = pytest.mark.slow


def test_an_operator_signs_in_by_keyboard_and_out_again(site: Site, tab: Tab) -> None:
    page, url = tab.page, site.closed.url
    tab.open(url + "/audit?days=7")  # it leads to the sign-in, and from there back
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    expect(page.get_by_label("Token of this console")).to_be_focused()
    page.keyboard.type(site.token)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Audit")
    assert page.url == url + "/audit?days=7"
    cookies = tab.context.cookies()
    assert [(each["httpOnly"], each["sameSite"]) for each in cookies] == [(True, "Strict")]
    assert page.evaluate("document.cookie") == ""

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    stolen = cookies[0]
    tab.context.add_cookies([{"name": stolen["name"], "value": stolen["value"], "url": url}])
    tab.open(url + "/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_a_wrong_token_is_said_and_the_right_one_leads_on(site: Site, tab: Tab) -> None:
    page, url = tab.page, site.closed.url
    tab.open(url + "/keys")
    page.get_by_label("Token of this console").fill("not-the-token-of-this-console")
    tab.expected = url + "/sign-in"
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("The token is not the one")
    assert tab.context.cookies() == []
    page.get_by_label("Token of this console").fill(site.token)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Keys")


def test_a_page_that_stays_open_leads_to_the_sign_in_when_its_session_ends(site: Site, open_tab: OpenTab) -> None:
    tab = open_tab()
    page, url = tab.page, site.closed.url
    page.clock.install()
    tab.open(url + "/sign-in?next=/jobs")
    page.get_by_label("Token of this console").fill(site.token)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Jobs")
    tab.expected = url + "/jobs"  # what it asks for when the session has ended
    other = tab.context.new_page()
    other.goto(url + "/audit")
    other.get_by_role("button", name="Sign out").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.clock.run_for(6_000)
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
