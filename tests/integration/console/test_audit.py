"""The page of what operators changed."""

import logging
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from azure.data.tables import TableClient

from adapters.account import AccountStorage
from adapters.model.job_ids import new_job_id
from adapters.model.ticks import PER_SECOND, Ticks, to_datetime
from adapters.tables.audit_rows import AuditEntry
from adapters.tables.reader import TableReader
from proxy.operations.audit import note_change
from proxy.worker.job import now
from tests.integration.console.conftest import StartConsole
from tests.support.console import LiveConsole
from tests.support.opened_account import run
from tests.support.storage import Storage


@pytest.fixture
def table(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> Iterator[TableClient]:
    """A table of changes that no other test has."""
    name = f"audit{uuid4().hex[:12]}"
    monkeypatch.setattr("adapters.account.AUDIT_TABLE", name)
    with TableClient.from_connection_string(storage.connection_string, name) as made:
        made.create_table()
        yield made


def rows(console: LiveConsole, path: str = "/audit") -> list[list[str]]:
    """The texts of the rows without their times."""
    return [[cell.text_content() for cell in row][1:] for row in console.page(path).xpath("//tbody/tr")]


def link(console: LiveConsole, path: str, text: str) -> str | None:
    """Where a link of the page leads."""
    found = console.page(path).xpath("//a[text()=$text]/@href", text=text)
    return str(found[0]) if found else None


def write(storage: Storage, table: TableClient, number: int, moment: Ticks, **changes: Any) -> None:
    """Writes so many rows of one moment, a hundred at a time."""
    date = to_datetime(moment)
    partition = f"{storage.account}:{date.year}{date.month:02}"
    entities = [
        {"PartitionKey": partition, "RowKey": new_job_id(moment), "Who": "olga", "What": f"change {each}"} | changes
        for each in range(number)
    ]
    for start in range(0, number, 100):
        table.submit_transaction([("create", each) for each in entities[start : start + 100]])


def test_changes_are_shown_the_newest_first_and_as_text(storage: Storage, console: LiveConsole) -> None:
    assert "No operator has changed anything. " in console.text("/audit")

    async def change(account: AccountStorage) -> None:
        for what in ("jobs retry", "jobs abort"):
            await account.audit.write(AuditEntry("<b>olga</b>", what, "job 1", "Aborted: ", "Pending"))

    run(storage, change)
    assert rows(console) == [
        ["<b>olga</b>", what, "job 1", "Aborted: ", "Pending"] for what in ("jobs abort", "jobs retry")
    ]
    assert link(console, "/audit", "Older") is None


def test_older_changes_are_pages_of_their_own(storage: Storage, table: TableClient, console: LiveConsole) -> None:
    for days in (0, 1, 45, 399):
        write(storage, table, 150, Ticks(now() - days * 86_400 * PER_SECOND), On=f"{days} days")
    write(storage, table, 10, Ticks(now() - 401 * 86_400 * PER_SECOND))
    write(storage, table, 1, Ticks(now() + 3600 * PER_SECOND), On="a clock that is ahead")
    path: str | None = "/audit"
    found, sizes = list[str](), list[int]()
    while path is not None:
        page = [row[2] for row in rows(console, path)]
        found, sizes = found + page, [*sizes, len(page)]
        path = link(console, path, "Older")
    expected = [each for each in ("0 days", "1 days", "45 days", "399 days") for _ in range(150)]
    assert (found, sizes) == (["a clock that is ahead", *expected], [200, 200, 200, 1])


def test_a_page_of_very_many_changes_reads_few(
    storage: Storage, table: TableClient, console: LiveConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    for ago in range(30):
        write(storage, table, 100, Ticks(now() - ago * 3600 * PER_SECOND))
    reads, name = list[object](), "_page"
    read = getattr(TableReader, name)

    async def count(*arguments: Any) -> Any:
        reads.append(arguments)
        return await read(*arguments)

    monkeypatch.setattr(TableReader, name, count)
    assert len(rows(console)) == 200
    assert len(reads) <= 20


def test_filters_match_parts_in_any_letter_case(storage: Storage, table: TableClient, console: LiveConsole) -> None:
    moment = now()
    write(storage, table, 300, moment, Who="Amy@desk")
    write(storage, table, 1, Ticks(moment - PER_SECOND), Who="Bob & Co", What="Jobs Retry")
    assert rows(console, "/audit?who=bob+%26&what=RETRY") == [["Bob & Co", "Jobs Retry", "", "", ""]]
    assert len(rows(console, "/audit?who=AMY")) == 200
    older = link(console, "/audit?who=AMY", "Older")
    assert older is not None
    assert len(rows(console, older)) == 100
    assert link(console, older, "Newest") == f"/audit?account={storage.account}&who=AMY&what="
    assert "No operator has changed anything that fits" in console.text("/audit?who=nobody")


def test_a_filter_that_fits_nothing_of_many_goes_on_where_it_stopped(
    storage: Storage, table: TableClient, console: LiveConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proxy.operations.audit.MOST_READ", 50)
    write(storage, table, 80, now())
    path = "/audit?who=nobody"
    assert "Older ones follow" in console.text(path)
    older = link(console, path, "Older")
    assert older is not None
    assert "that fits" in console.text(older)
    assert link(console, older, "Older") is None


def test_rows_of_other_programs_hide_no_others(storage: Storage, table: TableClient, console: LiveConsole) -> None:
    moment = now()
    write(storage, table, 1, moment, Who=7, What=True, On="odd")
    write(storage, table, 1, Ticks(moment - PER_SECOND), On="sound")
    partition = f"{storage.account}:{to_datetime(moment).year}{to_datetime(moment).month:02}"
    for key in (f"{new_job_id(moment)[:20]}-no-id", "zzz"):
        table.create_entity({"PartitionKey": partition, "RowKey": key, "Who": "x" * 5000})
    found = rows(console)
    assert [row[2] for row in found if row[2]] == ["odd", "sound"]
    assert found[[row[2] for row in found].index("odd")][:2] == ["", ""]


@pytest.mark.parametrize("before", ["", "x", "f" * 32, "0" * 32, "%00", "\ud800", "7" * 5000])
def test_a_strange_start_is_a_page(before: str, console: LiveConsole) -> None:
    response = console.get(
        "/audit", params={"before": before.encode("utf-8", "surrogatepass"), "who": "<b>", "what": "'"}
    )
    assert (response.status_code, "<b>" in response.text) == (200, False)


def test_an_account_that_the_ring_has_not_is_no_page(console: LiveConsole) -> None:
    response = console.get("/audit?account=other")
    assert (response.status_code, "no account of this name" in response.text) == (404, True)


def test_a_change_leaves_a_line_in_the_log(storage: Storage, caplog: pytest.LogCaptureFixture) -> None:
    async def change(account: AccountStorage) -> None:
        await note_change(account, AuditEntry("olga", "jobs retry", "job\n1"))

    with caplog.at_level(logging.INFO, "proxy"):
        run(storage, change)
    assert "jobs retry: job?1, by olga" in caplog.messages


def test_an_error_of_storage_names_the_account_where_there_are_several(
    storage: Storage, open_console: StartConsole
) -> None:
    broken = {"broken": {"storage": {"connection_string_env": "NOT_SET_BY_ANY_TEST"}}}
    page = open_console(storage, accounts=broken).get("/audit?account=broken")
    assert (page.status_code, "Storage of the account broken: credential" in page.text) == (503, True)
