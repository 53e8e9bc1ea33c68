"""The page Keys: what each key opens and was used for, never the key itself, wherever the keys are."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from adapters.credentials.connection_string import EMULATOR_KEY
from tests.integration.console.conftest import StartConsole
from tests.support.console import LiveConsole
from tests.support.fault_proxy import Hop, Mode
from tests.support.key_table_rows import KeyTableRows, digest_of
from tests.support.live import MASTER, QUERY, wait_for
from tests.support.storage import Storage, ago, date
from tests.support.usage_table import write_usage_row

HOSTILE = "<script>alert(1)</script>"


def rows_of(page: html.HtmlElement) -> dict[str, list[str]]:
    """The cells of each key by the digits of its digest."""
    found = {}
    for row in page.xpath("//main//tbody/tr"):
        (digits,) = row.xpath("./td[1]/span[@class='id']/text()")
        found[digits] = [" ".join(cell.text_content().split()) for cell in row]
    return found


def digits(key: str) -> str:
    return digest_of(key)[:12]


def later(**span: float) -> str:
    return (datetime.now(UTC) + timedelta(**span)).isoformat(timespec="seconds")


def test_each_key_has_what_it_opens_and_its_end_and_is_not_shown(storage: Storage, open_console: StartConsole) -> None:
    keys: dict[str, dict[str, Any]] = {
        "first-key": {"name": HOSTILE, "role": "query", "data_sources": ["Co*", "<i>"], "expires": later(days=29)},
        "second-key": {"name": "CRM", "expires": later(days=6)},
        "third-key": {"name": "far", "expires": later(days=31), "data_sources": []},
        "fourth-key": {"name": "old", "expires": ago(days=1)},
    }
    console = open_console(storage, keys={key: {"account": storage.account} | entry for key, entry in keys.items()})
    response = console.get("/keys")
    for key in (*keys, MASTER, QUERY):
        assert key not in response.text
        assert sha256(key.encode()).hexdigest() not in response.text
    assert HOSTILE not in response.text
    rows = rows_of(console.page("/keys"))
    assert set(rows) == {digits(key) for key in (*keys, MASTER, QUERY)}
    name, opens, end, *_ = rows[digits("first-key")]
    assert (name, opens) == (f"{HOSTILE}{digits('first-key')} in plain text", "queryCo*, <i>")
    assert end.endswith("within 30 days")
    assert rows[digits("second-key")][2].endswith("within 7 days")
    assert "within" not in rows[digits("third-key")][2]
    assert rows[digits("third-key")][1] == "masterno data source"
    assert rows[digits("fourth-key")][2].endswith("expired")
    assert rows[digits(MASTER)][1:3] == ["masterall data sources", "none"]


def test_usage_says_when_how_often_by_what_and_from_where(storage: Storage, console: LiveConsole) -> None:
    hour = f"{datetime.now(UTC):%Y%m%d%H}"
    more = {"Sources": '["Coffee"]', "Agents": f'["{HOSTILE}"]', "Networks": '["192.0.2.0/24"]'}
    operations = {"job_list": [3, 1, 0, 0], "query_boundaries": [2_000, 0, 0, 2]}
    write_usage_row(storage, hour, f"{digest_of(MASTER)[:16]}:one:1:a", operations, **more)
    write_usage_row(storage, "day", f"20260101:{digest_of(MASTER)[:16]}", {"job_list": [5, 0, 1, 0]}, Hours=1)
    rows = rows_of(console.page("/keys"))
    assert rows[digits(MASTER)][3:7] == [
        "2026-01-01 10:00:002026-01-01 10:30:00",
        "2,0081 errors1 refused2 not served",
        "query_boundaries 2,000, job_list 8Coffee",
        f"{HOSTILE}192.0.2.0/24",
    ]
    assert rows[digits(QUERY)][3] == "not used in the last 60 days"
    assert HOSTILE not in console.get("/keys").text


def test_an_account_whose_storage_can_not_be_read_has_its_keys_without_usage(
    storage: Storage, open_console: StartConsole
) -> None:
    refused = storage.connection_string.replace(EMULATOR_KEY, "c2VjcmV0")
    accounts = {
        "refused": {"storage": {"connection_string": refused}},
        "broken": {"storage": {"connection_string_env": "NOT_SET_BY_ANY_TEST"}},
    }
    keys = {f"key-of-{name}": {"account": name, "name": name} for name in accounts}
    console = open_console(storage, accounts=accounts, keys=keys)
    reasons = {
        "refused": "refused: HTTP 403",
        "broken": "credential: the environment variable NOT_SET_BY_ANY_TEST is not set",
    }
    for name, reason in reasons.items():
        page = console.page(f"/keys?account={name}")
        assert f"Usage can't be read. Storage: {reason}" in page.text_content()
        assert rows_of(page)[digits(f"key-of-{name}")][3] == "usage not known"
    assert "not known" not in console.text(f"/keys?account={storage.account}")


def test_usage_that_takes_too_long_is_left_out(
    storage: Storage, open_console: StartConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proxy.console.pages.keys.USAGE_SECONDS", 0.3)
    with Hop.before(storage) as hop:
        hop.mode = Mode.HANG
        accounts = {storage.account: {"storage": {"connection_string": hop.connection_string}}}
        console = open_console(storage, accounts=accounts, storage_timeout=20)
        page = console.page("/keys")
    assert "Usage can't be read. Storage: timeout: not read within 0.3 s" in page.text_content()
    assert set(rows_of(page)) == {digits(MASTER), digits(QUERY)}


@pytest.fixture
def stored(storage: Storage, open_console: StartConsole) -> Iterator[tuple[KeyTableRows, LiveConsole]]:
    """A key store, and a console of it."""
    store = {"connection_string": storage.connection_string}
    with KeyTableRows.unmade(storage.connection_string) as rows:
        yield rows.make(), open_console(storage, key_store=store, keys_table=rows.name)


def test_a_key_store_is_listed_a_hundred_keys_at_a_time(
    storage: Storage, stored: tuple[KeyTableRows, LiveConsole]
) -> None:
    rows, console = stored
    for number in range(230):
        rows.write(f"key-{number}", Account=storage.account, Name=f"program {number}")
        if number < 30:
            rows.write(f"revoked-{number}", Account=storage.account, RevokedAt=date(ago(days=1)))
    rows.write("foreign", Account="other")
    seen: list[str] = []
    path = f"/keys?account={storage.account}"
    pages = 0
    while path:
        page = console.page(path)
        assert len(rows_of(page)) <= 100
        seen += rows_of(page)
        path = next(iter(page.xpath("//a[. = 'Next']/@href")), "")
        pages += 1
    assert (pages, sorted(seen)) == (3, sorted(digits(f"key-{number}") for number in range(230)))
    assert "First" in console.text(f"/keys?account={storage.account}&after={'a' * 64}")
    all_keys = f"/keys?account={storage.account}&revoked=1"
    count = 0
    while all_keys:
        page = console.page(all_keys)
        count += len(rows_of(page))
        all_keys = next(iter(page.xpath("//a[. = 'Next']/@href")), "")
    assert count == 260


def test_keys_are_found_by_name_and_by_digest_in_their_account_alone(
    storage: Storage, stored: tuple[KeyTableRows, LiveConsole]
) -> None:
    rows, console = stored
    rows.write("a", Account=storage.account, Name="CRM")
    rows.write("b", Account=storage.account, RevokedAt=date(ago(days=1)))
    rows.write("c", Account="other", Name="Foreign")
    for find, key in (("crm", "a"), (digest_of("a")[:12], "a"), (f"sha256:{digest_of('b')[:6]}", "b")):
        assert list(rows_of(console.page(f"/keys?find={find}"))) == [digits(key)]
    for find in ("nobody", "foreign", digest_of("c")[:12], HOSTILE, "%00", "x" * 5000):
        assert "No key of this account" in console.text(f"/keys?find={find}")
    assert "revoked" in rows_of(console.page("/keys?revoked=1"))[digits("b")][0]


def test_a_row_that_can_not_be_read_does_not_hide_the_others(
    storage: Storage, stored: tuple[KeyTableRows, LiveConsole]
) -> None:
    rows, console = stored
    rows.write("odd", Account=storage.account, Role="emperor")
    rows.write("sound", Account=storage.account)
    shown = rows_of(console.page("/keys"))
    assert shown[digits("odd")][1] == "broken row Role must be one of master, query"
    assert shown[digits("sound")][1] == "masterall data sources"


@pytest.mark.parametrize("mode", [Mode.FORBID, Mode.HANG])
def test_a_key_store_that_does_not_answer_is_a_sentence_on_the_page(
    storage: Storage, open_console: StartConsole, mode: Mode
) -> None:
    with Hop.before(storage) as hop:
        hop.mode = mode
        store = {"connection_string": hop.connection_string}
        console = open_console(storage, key_store=store, storage_timeout=1)
        text = console.text("/keys")  # else the page itself is late, which is no page of keys
    assert "The keys can't be read: key store: " in text
    assert EMULATOR_KEY not in text


@pytest.mark.parametrize("query", ["account=nobody", "account=%3Cb%3E"])
def test_an_account_that_the_ring_has_not_is_no_page(console: LiveConsole, query: str) -> None:
    assert console.get(f"/keys?{query}").status_code == 404


@pytest.mark.parametrize("query", ["after=zz", "after=%00", "after=" + "f" * 64, "revoked=%27", "account="])
def test_strange_parameters_give_a_page(console: LiveConsole, query: str) -> None:
    assert "Keys" in console.text(f"/keys?{query}")


def test_the_console_follows_the_key_ring_file(storage: Storage, open_console: StartConsole, tmp_path: Path) -> None:
    entry = {"storage": {"connection_string": storage.connection_string}}
    path = tmp_path / "ring.json"
    path.write_text(json.dumps({"accounts": {storage.account: entry}, "keys": {}}), encoding="utf-8")
    console = open_console(storage, keyring_file=path)
    assert "The account has no key." in console.text("/keys")
    ring = {"accounts": {storage.account: entry, "new": entry}, "keys": {"k": {"account": storage.account}}}
    path.write_text(json.dumps(ring), encoding="utf-8")
    assert list(rows_of(console.page(f"/keys?account={storage.account}"))) == [digits("k")]
    wait_for(lambda: console.get("/keys?account=new").status_code == 200)
    path.write_text("{", encoding="utf-8")
    broken = console.get("/keys")
    assert (broken.status_code, "not JSON" in broken.text) == (409, True)


def test_usage_that_is_off_is_not_shown_as_keys_that_nothing_uses(storage: Storage, open_console: StartConsole) -> None:
    keys = {"some-key": {"account": storage.account}}
    assert "PROXY_USAGE is off here" in open_console(storage, keys=keys, usage="off").text("/keys")
    assert "PROXY_USAGE is off here" not in open_console(storage, keys=keys).text("/keys")
