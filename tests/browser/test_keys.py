"""A key is added, used and revoked, in a real browser and against a running server."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from proxy.demo.azurite import Emulator
from tests.support.console import LiveConsole, start_console
from tests.support.console_browser import Tab
from tests.support.key_table_rows import KeyTableRows
from tests.support.live import LiveServer, start_server, wait_for
from tests.support.storage import Storage

pytestmark = pytest.mark.slow

Running = tuple[LiveConsole, LiveServer]


@pytest.fixture
def running(emulator: Emulator) -> Iterator[Running]:
    """A console and a server with one key store."""
    with (
        Storage.open(emulator, "contoso") as storage,
        KeyTableRows.unmade(storage.connection_string) as rows,
    ):
        store = {"connection_string": storage.connection_string}
        with (
            start_console(storage, key_store=store, keys_table=rows.name) as console,
            start_server(storage, key_store=store, keys_table=rows.name, key_store_seconds=1) as server,
        ):
            yield console, server


def test_a_key_is_added_shown_once_used_and_revoked(running: Running, tab: Tab) -> None:
    page, (console, server) = tab.page, running
    tab.open(f"{console.url}/keys")
    page.get_by_role("link", name="Add a key").click()
    page.get_by_label("Name, such as").fill("store finder")
    page.get_by_label("Role").select_option("query")
    page.get_by_role("button", name="Add the key").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Key store finder added")
    key = page.locator("#key").inner_text()
    assert key not in page.url

    tab.expected = page.url  # the browser sends the form again, which is refused
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("store finder")
    assert key not in page.content()
    page.go_back()
    tab.open(f"{console.url}/keys")
    row = page.get_by_role("row").filter(has_text="store finder")
    expect(row).to_have_count(1)
    assert key not in page.content()

    wait_for(lambda: server.get("data", key).status_code == 200)
    row.get_by_role("link", name="Revoke store finder").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Revoke a key")
    page.get_by_role("button", name="Revoke the key").click()
    expect(page.get_by_role("status")).to_have_text("The key is revoked.")
    expect(row).to_have_count(0)
    wait_for(lambda: server.get("data", key).status_code == 401)
    page.get_by_label("Revoked keys too").check()
    page.get_by_role("button", name="Show").click()
    expect(row).to_contain_text("revoked")
