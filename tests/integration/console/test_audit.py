"""The page of what operators changed."""

import logging

import pytest

from adapters.account import AccountStorage
from adapters.tables.audit_rows import AuditEntry
from proxy.operations.audit import note_change
from tests.support.console import LiveConsole
from tests.support.opened_account import run
from tests.support.storage import Storage


def test_changes_are_shown_the_newest_first_and_as_text(storage: Storage, console: LiveConsole) -> None:
    assert "No operator has changed anything" in console.text("/audit")

    async def change(account: AccountStorage) -> None:
        for what in ("jobs retry", "jobs abort"):
            await account.audit.write(AuditEntry("<b>olga</b>", what, "job 1", "Aborted: ", "Pending"))

    run(storage, change)
    rows = [[cell.text_content() for cell in row][1:] for row in console.page("/audit").xpath("//tbody/tr")]
    assert rows == [["<b>olga</b>", what, "job 1", "Aborted: ", "Pending"] for what in ("jobs abort", "jobs retry")]


def test_an_account_that_the_ring_has_not_is_no_page(console: LiveConsole) -> None:
    response = console.get("/audit?account=other")
    assert (response.status_code, "no account of this name" in response.text) == (404, True)


def test_a_change_leaves_a_line_in_the_log(storage: Storage, caplog: pytest.LogCaptureFixture) -> None:
    async def change(account: AccountStorage) -> None:
        await note_change(account, AuditEntry("olga", "jobs retry", "job\n1"))

    with caplog.at_level(logging.INFO, "proxy"):
        run(storage, change)
    assert "jobs retry: job?1, by olga" in caplog.messages
