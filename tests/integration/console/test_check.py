"""The page Check: settings without secrets at once, what is found after it, and Azure Maps only on demand."""

import json
import re
import socket
import time
from collections.abc import Iterator

import pytest

from adapters.credentials.connection_string import EMULATOR_KEY
from proxy.demo.maps.stand_in import KEY, MapsStandIn, start_stand_in
from proxy.settings import Settings, variable_name
from proxy.version import VERSION
from tests.integration.console.conftest import StartConsole
from tests.support.audited_changes import changes
from tests.support.console import LiveConsole
from tests.support.key_table_rows import KeyTableRows
from tests.support.live import MASTER, wait_for
from tests.support.storage import Storage

HTMX = {"HX-Request": "true"}
VARIABLE = "MAPS_TEST_KEY"


def found_of(console: LiveConsole) -> dict[str, dict[str, list[str]]]:
    """State, text and time of each part of what is found, by account or other thing."""
    found: dict[str, dict[str, list[str]]] = {}
    for body in console.page("/check/findings").xpath("//div[@id='findings']//tbody"):
        head, *rows = body.xpath("./tr")
        cells = [[cell.text_content() for cell in row] for row in rows]
        found[head.text_content().split()[0]] = {part: rest for part, *rest in cells}
    return found


def test_the_page_has_version_and_settings_and_leads_to_what_is_found(console: LiveConsole) -> None:
    page = console.page("/check")
    assert f"Version {VERSION}" in page.text_content()
    shown = {row[0].text_content(): [cell.text_content() for cell in row[1:]] for row in page.xpath("//tbody/tr")}
    assert sorted(shown) == sorted(variable_name(field) for field in Settings.model_fields)
    assert [each for _, each in shown.values()] == sorted((each for _, each in shown.values()), reverse=True)
    assert shown["PROXY_KEYRING"] == ["secret, not shown", "environment"]
    assert shown["PROXY_KEYRING_FILE"] == ["none", "default"]
    assert shown["PROXY_OPERATOR"] == ["olga@example.com", "environment"]
    assert shown["PROXY_QUERIES"] == ["true", "default"]
    (findings,) = page.xpath("//*[@id='findings']")
    assert (findings.get("hx-get"), findings.get("hx-trigger")) == ("/check/findings", "load")
    assert findings.xpath(".//a/@href") == ["/check/findings"]


def test_no_secret_is_on_the_page(storage: Storage, open_console: StartConsole) -> None:
    text = open_console(storage, data_location_hosts="data.example.com", copyright="a?key=hidden").get("/check").text
    for secret in (EMULATOR_KEY, MASTER, storage.connection_string, "hidden"):
        assert secret not in text
    assert "a?..." in text
    assert "data.example.com" in text


def test_what_is_found_has_each_part_with_its_time(storage: Storage, console: LiveConsole) -> None:
    found = found_of(console)
    assert list(found[storage.account]) == ["tables", "blobs", "queue", "workers", "queries"]
    none = "NONE has sent a heartbeat within 60 s: jobs wait until one runs"
    assert found[storage.account]["workers"][:2] == ["missing", none]
    assert re.fullmatch(r"[\d,]+ ms", found[storage.account]["tables"][2])
    assert "has room for" in found["query"]["query cache"][1]


def test_htmx_gets_the_part_alone(console: LiveConsole) -> None:
    part = console.get("/check/findings", headers=HTMX).text
    assert 'id="findings"' in part
    assert "<html" not in part
    assert "PROXY_KEYRING" not in part


@pytest.mark.slow
def test_accounts_that_are_broken_or_away_delay_nobody_beyond_the_deadline(
    storage: Storage, open_console: StartConsole
) -> None:
    secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQ="  # noqa: S105 - opens nothing
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(0)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/a"
        hangs = f"AccountName=a;AccountKey={secret};TableEndpoint={url};BlobEndpoint={url};QueueEndpoint={url}"
        accounts = {
            "hangs": {"storage": {"connection_string": hangs}},
            "keyless": {"storage": {"connection_string_env": "NOT_SET_BY_ANY_TEST"}},
        }
        console = open_console(storage, accounts=accounts, storage_timeout=2)
        assert "Checking each account" in console.text("/check")
        with pytest.raises(BlockingIOError):  # the page itself asks no account
            silent.accept()
        started = time.monotonic()
        found = found_of(console)
        took = time.monotonic() - started
        wait_for(lambda: found_of(console)[storage.account]["tables"][0] in {"ok", "missing"})
    # One beside the other: together they take far less than the sum of their times.
    assert took < sum(int(text.removesuffix(" ms").replace(",", "")) / 1000 for *_, text in found["hangs"].values())
    assert {(state, text) for state, text, _ in found["hangs"].values()} == {("broken", "timeout: nothing within 2 s")}
    assert found["keyless"]["keyless"][:2] == [
        "broken",
        "credential: the environment variable NOT_SET_BY_ANY_TEST is not set (mend this account's storage entry)",
    ]
    assert secret not in json.dumps(found)


def test_a_key_store_is_checked_beside_the_accounts(storage: Storage, open_console: StartConsole) -> None:
    with KeyTableRows.unmade(storage.connection_string) as rows:
        store = {"connection_string": storage.connection_string}
        console = open_console(storage, key_store=store, keys_table=rows.name)
        assert "no table" in found_of(console)["key"]["key store"][1]
        rows.make()
        ((part, (state, text, _)),) = found_of(console)["key"].items()
    assert (part, state) == (f"table {rows.name} of the storage account devstoreaccount1", "ok")
    assert text.endswith("no key was ever added")


def test_a_misspelt_variable_is_a_warning(console: LiveConsole, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXY_<b>", "x")
    assert "PROXY_<b>: no such setting; the nearest name is " in console.text("/check")


@pytest.fixture
def maps() -> Iterator[MapsStandIn]:
    """Azure Maps, on a port of its own."""
    with start_stand_in() as running:
        yield running


@pytest.fixture
def with_maps(
    storage: Storage, open_console: StartConsole, maps: MapsStandIn, monkeypatch: pytest.MonkeyPatch
) -> LiveConsole:
    """A console of an account that has an Azure Maps."""
    monkeypatch.setenv(VARIABLE, KEY)
    entry = {
        "storage": {"connection_string": storage.connection_string},
        "maps": {"subscription_key_env": VARIABLE, "endpoint": maps.url},
    }
    return open_console(storage, accounts={storage.account: entry})


def test_azure_maps_is_asked_by_a_confirmed_press_of_a_button_alone(
    storage: Storage, with_maps: LiveConsole, maps: MapsStandIn
) -> None:
    found = found_of(with_maps)
    assert found[storage.account]["maps"][0] == "ok"
    (link,) = with_maps.page("/check").xpath("//a[contains(., 'Test Azure Maps')]/@href")
    assert "bills one item" in with_maps.text(link)
    assert maps.calls == 0
    answer = with_maps.confirm(link)
    assert (answer.status_code, "finds Redmond, WA" in answer.text) == (200, True)
    assert (maps.calls, maps.items) == (1, 1)
    assert changes(storage) == [("olga@example.com", "check --maps", "Redmond, WA")]


def test_an_azure_maps_that_refuses_says_what_to_do(
    storage: Storage, with_maps: LiveConsole, maps: MapsStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "MARKED-WRONG-KEY")
    answer = with_maps.confirm(f"/accounts/{storage.account}/ask-maps")
    assert "look at subscription_key_env of the account&#39;s maps" in answer.text
    assert "MARKED-WRONG-KEY" not in answer.text
    assert maps.calls == 1


def test_an_account_without_azure_maps_has_no_button_and_no_page(storage: Storage, console: LiveConsole) -> None:
    assert "Azure Maps" not in console.text("/check").partition("Settings of this console")[0]
    for account in (storage.account, "nobody", "%3Cb%3E"):
        assert console.get(f"/accounts/{account}/ask-maps").status_code == 404


def test_a_read_only_console_asks_nothing(storage: Storage, open_console: StartConsole) -> None:
    console = open_console(storage, console_read_only=True)
    assert "Test Azure Maps" not in console.text("/check")
    assert console.post(f"/accounts/{storage.account}/ask-maps", {}).status_code == 403
