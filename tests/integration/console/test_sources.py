"""The page of all data sources."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from adapters.errors import StorageError, StorageErrorCode
from adapters.model.ticks import Ticks
from adapters.model.usage import Usage
from adapters.tables.usage_store import UsageStore
from tests.integration.console.conftest import StartConsole
from tests.support.console import LiveConsole
from tests.support.source_pages import assert_small, base, load_versions, problem, table
from tests.support.storage import Storage
from tests.support.usage_table import write_usage_row
from tests.support.worker_desk import Desk, play, shops


def test_a_data_source_is_shown_with_its_versions_size_and_keys(storage: Storage, console: LiveConsole) -> None:
    load_versions(storage)
    for at, name in enumerate(("shop app", "", "old app", "b app", "c app", "d app")):
        digest = f"{at:016x}"
        named: dict[str, Any] = {"KeyName": name} if name else {}
        write_usage_row(storage, "day", f"20260101:{digest}", Sources=json.dumps(["SHOPS", "Other"]), **named)
    page = console.page("/sources")
    (row,) = table(page, "Data sources")
    assert row[:4] == ["Shops", "private", "published, staged, 1 earlier", "3"]
    assert row[4].endswith("KB")
    assert row[6:] == ["b app, c app, d app, key 00000000 and 2 more", "acc"]
    (link,) = page.xpath("//td/a/@href")
    assert link == base(storage)
    assert console.get(link).status_code == 200


def test_an_account_without_data_sources_has_a_sentence(console: LiveConsole) -> None:
    assert "There are no data sources." in console.text("/sources")
    assert console.get("/sources?account=nobody").status_code == 404
    assert "No data source has <b>x in its name." in console.text("/sources?text=%3Cb%3Ex&skip=-7&account=")


def test_a_broken_row_is_shown_in_its_place_and_hides_no_other(storage: Storage, console: LiveConsole) -> None:
    load_versions(storage)
    storage.data_source_row("<i>broken", Name="<i>Broken")
    storage.data_source_row("zoo", **storage.OF_A_DATA_SOURCE | {"Name": "<b>Zoo", "Deleting": "0" * 32})
    rows = table(console.page("/sources"), "Data sources")
    assert [row[0] for row in rows] == ["<i>broken", "Shops", "<b>Zoo being deleted"]
    assert rows[0][1].startswith("broken row row <i>broken can't be used: AccessId is missing")
    assert rows[2][2:4] == ["none", ""]


def test_a_broken_account_is_shown_beside_the_others(storage: Storage, open_console: StartConsole) -> None:
    load_versions(storage)
    gone = storage.connection_string.replace("10002", "1").replace("10000", "1").replace("10001", "1")
    text = ";".join(
        f"{part.partition('=')[0]}=http://127.0.0.1:1/devstoreaccount1" if "Endpoint=" in part else part
        for part in gone.split(";")
    )
    accounts = {
        "sick": {"storage": {"connection_string": text}},
        "empty": {"storage": {"connection_string": storage.connection_string}},
    }
    console = open_console(storage, accounts=accounts)
    page = console.page("/sources")
    assert [row[:2] for row in table(page, "Data sources")] == [["Shops", storage.account]]
    assert problem(page).startswith("Account sick: the data sources can't be read. Storage: ")
    assert problem(console.page("/sources?account=sick")).startswith("Account sick:")
    assert table(console.page("/sources?account=empty"), "Data sources") == []
    assert console.get("/accounts/sick/sources/Shops").status_code == 503


@pytest.mark.usefixtures("no_retries")
def test_without_its_blobs_and_usage_an_account_shows_its_data_sources(
    storage: Storage, open_console: StartConsole
) -> None:
    load_versions(storage)
    parts = storage.connection_string.split(";")
    text = ";".join(
        "BlobEndpoint=http://127.0.0.1:1/devstoreaccount1" if part.startswith("BlobEndpoint") else part
        for part in parts
    )
    console = open_console(replace(storage, connection_string=text))
    page = console.page("/sources")
    (row,) = table(page, "Data sources")
    assert (row[0], row[3:5]) == ("Shops", ["3", ""])
    assert "the sizes can't be read" in problem(page)
    page = console.page(base(storage))
    assert "The sizes can't be read" in problem(page)
    assert page.xpath("string(//dt[.='Size of all versions']/../dd)") == "not known"
    assert len(table(page, "Versions")) == 3
    assert console.get(f"{base(storage)}/map").status_code == 503


def test_usage_that_cannot_be_read_has_a_sentence_beside_the_rest(
    storage: Storage, console: LiveConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_versions(storage)

    async def fail(_: UsageStore) -> AsyncIterator[Usage]:
        for usage in list[Usage]():
            yield usage
        raise StorageError(StorageErrorCode.UNREACHABLE, "no answer")

    monkeypatch.setattr(UsageStore, "iterate", fail)
    page = console.page("/sources")
    assert "the usage of keys can't be read" in problem(page)
    assert len(table(page, "Data sources")) == 1
    page = console.page(base(storage))
    assert "The usage of keys can't be read" in problem(page)
    assert len(table(page, "Versions")) == 3
    assert page.xpath("string(//dt[starts-with(., 'Used by keys')]/../dd)") == "not known"


def test_usage_that_takes_too_long_is_left_out(
    storage: Storage, console: LiveConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_versions(storage)

    async def hang(_: UsageStore) -> AsyncIterator[Usage]:
        await asyncio.Event().wait()
        yield Usage("", None, Ticks(0), Ticks(0))

    monkeypatch.setattr(UsageStore, "iterate", hang)
    monkeypatch.setattr("proxy.operations.source_usage.USAGE_SECONDS", 0.3)
    page = console.page("/sources")
    assert [row[0] for row in table(page, "Data sources")] == ["Shops"]
    assert "the usage of keys can't be read. Storage: timeout: not read within 0.3 s" in problem(page)


def test_some_hundred_data_sources_are_on_pages_of_their_own(storage: Storage, console: LiveConsole) -> None:
    play(storage, _make_table)
    rows = [
        {"PartitionKey": storage.account, "RowKey": f"source{at:03d}"}
        | storage.OF_A_DATA_SOURCE
        | {"Name": f"Source{at:03d}{'&' * 40}", "AccessId": "<" * 500}
        for at in range(310)
    ]
    with storage.datasources() as written:
        for start in range(0, len(rows), 100):
            written.submit_transaction([("upsert", row) for row in rows[start : start + 100]])
    assert_small(console, "/sources")
    page = console.page("/sources")
    assert len(table(page, "Data sources")) == 150
    found = []
    path = "/sources?text=source"
    while path:
        page = console.page(path)
        found += [row[0][:9] for row in table(page, "Data sources")]
        (path,) = page.xpath("//nav[@class='pager']/a[text()='Next']/@href") or [""]
    assert found == [f"Source{at:03d}" for at in range(310)]
    assert [row[0][:9] for row in table(console.page("/sources?text=CE30"), "Data sources")] == [
        f"Source30{at}" for at in range(10)
    ]


@pytest.mark.parametrize("query", ["skip=9999999999999999999999", "skip=%F0%9F", "text=%00", "account=%00", "x=1&x=2"])
def test_strange_parameters_are_a_page_with_a_sentence(console: LiveConsole, query: str) -> None:
    assert console.get(f"/sources?{query}").status_code in {200, 404}


async def _make_table(desk: Desk) -> None:
    await desk.done(desk.load(shops("a"), name="Aaa"))
    await desk.account.data_sources.change("Aaa", lambda _: None)
