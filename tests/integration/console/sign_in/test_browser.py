"""Signing in by Entra in a real browser, which decides by itself which cookies it sends across sites."""

import shutil
from collections.abc import Iterator

import pytest

from tests.integration.console.conftest import StartConsole
from tests.support.entra_tenant import ENTRA, PERSON, Tenant
from tests.support.storage import Storage

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


@pytest.fixture
def page() -> Iterator[Page]:
    if CHROMIUM is None:
        pytest.skip("there is no chromium")
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        opened = browser.new_context(ignore_https_errors=True).new_page()
        opened.set_default_timeout(60_000)  # a machine may stall
        yield opened
        browser.close()


@pytest.mark.slow
def test_a_browser_comes_back_from_another_site_and_is_signed_in(
    page: Page, storage: Storage, open_console: StartConsole, tenant: Tenant
) -> None:
    """The console is on localhost, the tenant on 127.0.0.1: two sites."""
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    console = open_console(storage, **ENTRA, console_principals=PERSON)
    url = f"http://localhost:{console.port}"
    page.goto(f"{url}/audit?days=7")
    assert page.url == f"{url}/sign-in?next=%2Faudit%3Fdays%3D7"
    page.get_by_role("link", name="Sign in with Microsoft Entra ID").click()
    page.wait_for_url(f"{url}/audit?days=7")
    assert PERSON in page.get_by_title("The name in audit rows").inner_text()
    assert [path for path, _ in tenant.asked if path.endswith("/authorize")]
    (cookie,) = page.context.cookies()
    assert (cookie["name"], cookie["sameSite"], cookie["secure"], cookie["httpOnly"]) == (
        "console_session",
        "Strict",
        True,
        True,
    )
    page.reload()
    assert PERSON in page.content()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{url}/sign-in")
    page.goto(f"{url}/audit")
    assert "/sign-in?next=" in page.url
    assert errors == []
