"""Keys are added and revoked in the console where it may: a generated key is shown once, and a row says who did it."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import html

from adapters.tables import key_announcements
from tests.integration.console.conftest import StartConsole
from tests.support.audited_changes import changes
from tests.support.console import LiveConsole
from tests.support.fault_proxy import Hop, Mode
from tests.support.key_table_rows import BING_KEY, KeyTableRows, digest_of
from tests.support.live import MASTER, start_server, wait_for
from tests.support.storage import Storage

OWN_KEY = "own-secret-key"
FORM = "/keys/add"


@dataclass(frozen=True)
class Holder:
    """A console, and what holds its keys."""

    console: LiveConsole
    path: Path | None = None
    rows: KeyTableRows | None = None

    def grants(self, key: str) -> dict[str, Any]:
        """What is stored of a key; empty for nothing."""
        if self.rows is not None:
            row = self.rows.get(key)
            return {"account": row["Account"], "role": row["Role"], "name": row.get("Name")} if row else {}
        assert self.path is not None
        keys = json.loads(self.path.read_text(encoding="utf-8"))["keys"]
        return dict(keys.get(f"sha256:{digest_of(key)}", {}))


def write_ring(path: Path, storage: Storage, **keys: dict[str, Any]) -> Path:
    """Writes a key ring file."""
    entry = {"storage": {"connection_string": storage.connection_string}}
    accounts = {storage.account: entry, "other": entry}
    path.write_text(json.dumps({"accounts": accounts, "keys": keys}), encoding="utf-8")
    return path


@contextmanager
def open_holder(kind: str, storage: Storage, open_console: StartConsole, folder: Path) -> Iterator[Holder]:
    """A console with its keys in a file or in a store."""
    if kind == "file":
        path = write_ring(folder / "ring.json", storage)
        yield Holder(open_console(storage, keyring_file=path), path=path)
        return
    with KeyTableRows.unmade(storage.connection_string) as rows:
        store = {"connection_string": storage.connection_string}
        yield Holder(open_console(storage, key_store=store, keys_table=rows.name), rows=rows)


@pytest.fixture(params=["file", "store"])
def holder(
    request: pytest.FixtureRequest, storage: Storage, open_console: StartConsole, tmp_path: Path
) -> Iterator[Holder]:
    """Each of both."""
    with open_holder(request.param, storage, open_console, tmp_path) as opened:
        yield opened


def add(console: LiveConsole, storage: Storage, **fields: str) -> httpx.Response:
    """Sends the form of a new key."""
    given = {"csrf": console.csrf(FORM), "account": storage.account, "role": "master", "kind": "generate"}
    return console.post(FORM, given | {"name": "CRM", "data_sources": "", "expires": "", "key": ""} | fields)


def generated(response: httpx.Response) -> str:
    """The key on the page that answers the form."""
    assert response.status_code == 200, response.text
    return str(html.document_fromstring(response.text).xpath("string(//*[@id='key'])"))


def problem(response: httpx.Response) -> str:
    """The error on a page."""
    return str(html.document_fromstring(response.text).xpath("string(//*[@class='problem'])"))


def revoke_path(storage: Storage, key: str) -> str:
    return f"/accounts/{storage.account}/keys/{digest_of(key)[:16]}/revoke"


def test_a_generated_key_is_shown_once_and_opens_what_the_form_says(
    storage: Storage, holder: Holder, caplog: pytest.LogCaptureFixture
) -> None:
    fields = {"role": "query", "data_sources": "Co*, Fo*", "expires": "2090-01-01T00:00"}
    response = add(holder.console, storage, **fields)
    key = generated(response)
    assert len(key) == 64
    assert "It is never shown again" in response.text
    assert holder.grants(key)["account"] == storage.account
    assert (holder.grants(key)["role"], holder.grants(key)["name"]) == ("query", "CRM")
    row = holder.console.text("/keys")
    assert "Co*, Fo*" in row
    assert "2090-01-01 00:00:00" in row
    assert changes(storage) == [("olga@example.com", "keys add", f"sha256:{digest_of(key)[:12]} CRM")]
    assert response.headers["Cache-Control"] == "no-store"
    for path in ("/keys", "/audit", FORM, revoke_path(storage, key)):
        assert key not in holder.console.get(path).text
    assert key not in caplog.text
    assert key not in str(response.url)


def test_an_own_key_is_stored_by_its_digest_and_never_shown(storage: Storage, holder: Holder) -> None:
    response = add(holder.console, storage, kind="own", key=f" {OWN_KEY} ")
    assert response.status_code == 200
    assert OWN_KEY not in response.text
    assert holder.grants(OWN_KEY)["name"] == "CRM"
    again = add(holder.console, storage, kind="own", key=OWN_KEY, name="another")
    assert (again.status_code, "has this key already" in problem(again)) == (409, True)
    assert OWN_KEY not in again.text


def test_a_form_that_is_sent_twice_adds_one_key(storage: Storage, holder: Holder) -> None:
    assert add(holder.console, storage).status_code == 200
    again = add(holder.console, storage)
    assert again.status_code == 409
    assert "name" in problem(again)
    assert len(holder.console.page("/keys").xpath("//main//tbody/tr")) == 1


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"name": ""}, "name: is missing"),
        ({"name": "<script>" * 20}, "name: must be 1 to 64 printable characters"),
        ({"name": "two\nlines"}, "name: must be 1 to 64 printable characters"),
        ({"name": BING_KEY}, "name: looks like a key, and would be shown"),
        ({"kind": "own", "key": OWN_KEY, "name": OWN_KEY}, "name: is the key itself, and would be shown"),
        ({"account": "<b>"}, "account: there is no account '<b>' in the key ring"),
        ({"role": "<b>emperor"}, "role: Input should be 'master' or 'query'"),
        ({"data_sources": " , "}, "data sources: names no pattern"),
        ({"data_sources": "x" * 101}, "data sources: 'xxxxxxxxxxxxxxxxxxxx'... has 101 characters"),
        ({"data_sources": ",".join("a" * 101)}, "data sources: 101 patterns; at most 100 are allowed"),
        ({"data_sources": BING_KEY}, "data sources: looks like a key, and would be shown"),
        ({"expires": "2020-01-01T00:00"}, "expires: '2020-01-01T00:00:00+00:00' is in the past"),
        ({"expires": "<b>soon"}, "expires: '<b>soon' is no time"),
        ({"kind": "own", "key": " "}, "key: there is no key"),
        ({"kind": "own", "key": "a\tb"}, "key: it has characters that can't be printed"),
    ],
)
def test_what_can_not_be_added_is_a_sentence_above_the_form_and_no_key(
    storage: Storage, holder: Holder, fields: dict[str, str], text: str
) -> None:
    response = add(holder.console, storage, **fields)
    assert (response.status_code, problem(response).startswith(text)) == (400, True), problem(response)
    assert "<b>" not in response.text
    assert (
        fields.get("key", OWN_KEY).strip() not in response.text.replace(fields.get("name", ""), "")
        or not fields["key"].strip()
    )
    assert "has no key" in holder.console.text("/keys") or holder.rows is not None
    assert changes(storage) == []


def test_what_was_entered_is_there_again_with_an_error_and_the_key_is_not(storage: Storage, holder: Holder) -> None:
    entered = {"name": 'a"b', "role": "query", "data_sources": "Co*", "expires": "2020-01-01T00:00", "kind": "own"}
    response = add(holder.console, storage, key=OWN_KEY, **entered)
    page = html.document_fromstring(response.text)
    assert OWN_KEY not in response.text
    assert [page.xpath(f"string(//input[@id='{name}']/@value)") for name in ("name", "data_sources", "expires")] == [
        'a"b',
        "Co*",
        "2020-01-01T00:00",
    ]
    assert page.xpath("string(//select[@id='role']/option[@selected])") == "query"
    assert page.xpath("string(//input[@checked]/@value)") == "own"


def test_a_key_is_revoked_after_a_question(storage: Storage, holder: Holder) -> None:
    add(holder.console, storage, kind="own", key=OWN_KEY)
    (link,) = holder.console.page("/keys").xpath("//a[. = 'Revoke']/@href")
    assert link == revoke_path(storage, OWN_KEY)
    question = holder.console.text(link)
    assert f"sha256:{digest_of(OWN_KEY)[:12]}" in question
    assert "CRM" in question
    assert ("reinstate" in question) == (holder.rows is not None)
    answer = holder.console.confirm(link)
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/keys?account={storage.account}&notice=key-revoked"
    assert "The key is revoked." in holder.console.text(answer.headers["Location"])
    if holder.rows is None:
        assert holder.grants(OWN_KEY) == {}
    else:
        assert "RevokedAt" in holder.rows.get(OWN_KEY)
        assert holder.console.confirm(link).status_code == 303  # it was revoked already: the same end, and no row
    on = f"sha256:{digest_of(OWN_KEY)[:12]} CRM"
    assert changes(storage) == [("olga@example.com", what, on) for what in ("keys add", "keys revoke")]


@pytest.mark.parametrize("digest", ["0" * 16, "abc", "%3Cb%3E", "..%2f", OWN_KEY, "x" * 3000])
def test_a_digest_that_nobody_has_is_no_page(storage: Storage, holder: Holder, digest: str) -> None:
    add(holder.console, storage)
    path = f"/accounts/{storage.account}/keys/{digest}/revoke"
    assert holder.console.get(path).status_code == 404
    assert holder.console.post(path, {"csrf": holder.console.csrf(FORM)}).status_code == 404


def test_a_key_of_another_account_is_not_found_under_this_one(storage: Storage, holder: Holder) -> None:
    add(holder.console, storage, kind="own", key=OWN_KEY)
    path = revoke_path(storage, OWN_KEY).replace(storage.account, "other")
    assert holder.console.get(path).status_code == 404


def test_forms_without_the_token_of_the_session_change_nothing(storage: Storage, holder: Holder) -> None:
    add(holder.console, storage, kind="own", key=OWN_KEY)
    for path in (FORM, revoke_path(storage, OWN_KEY)):
        assert holder.console.post(path, {"csrf": "0" * 64, "name": "x", "account": storage.account}).status_code == 403
    assert len(changes(storage)) == 1


def test_a_key_that_is_added_in_the_console_opens_a_server_and_is_refused_when_it_is_revoked(
    storage: Storage, open_console: StartConsole
) -> None:
    with KeyTableRows.unmade(storage.connection_string) as rows:
        store = {"connection_string": storage.connection_string}
        console = open_console(storage, key_store=store, keys_table=rows.name)
        key = generated(add(console, storage))
        with start_server(storage, key_store=store, keys_table=rows.name, key_store_seconds=1) as server:
            assert server.get("data", key).status_code == 200
            console.confirm(revoke_path(storage, key))
            wait_for(lambda: server.get("data", key).status_code == 401)


def test_a_generated_key_is_shown_where_its_change_is_not_announced(
    storage: Storage, open_console: StartConsole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lose(*_: object) -> bool:
        return False

    monkeypatch.setattr(key_announcements, "_append", lose)
    monkeypatch.setattr(key_announcements.announce, "__defaults__", (0.2,))
    with open_holder("store", storage, open_console, tmp_path) as holder:
        response = add(holder.console, storage)
        assert holder.grants(generated(response))["name"] == "CRM"
        assert "the change stands and is in force within ten minutes" in response.text
        assert [what for _, what, _ in changes(storage)] == ["keys add"]


@pytest.mark.parametrize("mode", [Mode.FORBID, Mode.HANG])
def test_a_key_store_that_does_not_answer_is_a_sentence(
    storage: Storage, open_console: StartConsole, mode: Mode
) -> None:
    with Hop.before(storage) as hop:
        console = open_console(storage, key_store={"connection_string": hop.connection_string}, storage_timeout=1)
        hop.mode = mode
        response = add(console, storage)
        assert (response.status_code, problem(response).startswith("key store: ")) == (409, True)
        assert console.get(revoke_path(storage, OWN_KEY)).status_code == 409


def test_a_change_stands_where_the_account_can_not_be_opened(
    storage: Storage, open_console: StartConsole, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "ring.json"
    accounts = {"broken": {"storage": {"connection_string_env": "NOT_SET_BY_ANY_TEST"}}}
    path.write_text(json.dumps({"accounts": accounts, "keys": {}}), encoding="utf-8")
    holder = Holder(open_console(storage, keyring_file=path), path=path)
    key = generated(add(holder.console, storage, account="broken"))
    assert holder.grants(key)["account"] == "broken"
    assert "the change is made, but the table audit can't be written: credential" in caplog.text


def refused(console: LiveConsole, storage: Storage) -> str:
    """Why a console offers no changes; none of its pages makes one."""
    page = console.page("/keys")
    assert page.xpath("//a[. = 'Add a key' or . = 'Revoke']") == []
    answers = [console.get(FORM), console.get(revoke_path(storage, MASTER))]
    assert [answer.status_code for answer in answers] == [409, 409]
    return " ".join(page.text_content().split())


def test_a_ring_in_a_variable_is_not_changed_and_the_page_says_why(storage: Storage, console: LiveConsole) -> None:
    assert "Keys can't be changed here. The key ring is in PROXY_KEYRING" in refused(console, storage)


@pytest.mark.parametrize("locked", ["ring.json", "."])
def test_a_ring_file_that_can_not_be_written_is_not_changed_and_the_page_says_why(
    storage: Storage, open_console: StartConsole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locked: str
) -> None:
    path = write_ring(tmp_path / "ring.json", storage)
    before = path.read_bytes()
    console = open_console(storage, keyring_file=path)
    csrf = console.csrf(FORM)
    access = os.access
    # The superuser may write all files, so that a mode of the file would say nothing here.
    target = (tmp_path / locked).resolve()
    monkeypatch.setattr("os.access", lambda path, mode: access(path, mode) and Path(path) != target)
    assert f"The key ring file {path} can't be written." in refused(console, storage)
    form = {"csrf": csrf, "account": storage.account, "name": "x", "role": "master", "kind": "generate"}
    assert console.post(FORM, form).status_code == 409
    assert path.read_bytes() == before


def test_a_ring_file_that_is_a_mount_of_its_own_is_not_changed(
    storage: Storage, open_console: StartConsole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_ring(tmp_path / "ring.json", storage)
    monkeypatch.setattr(Path, "is_mount", lambda each: each == path)
    assert "is a mount of its own" in refused(open_console(storage, keyring_file=path), storage)


def test_a_disk_that_is_full_changes_nothing_and_is_a_sentence(
    storage: Storage, open_console: StartConsole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    path = write_ring(tmp_path / "ring.json", storage)
    before = path.read_bytes()
    console = open_console(storage, keyring_file=path)
    monkeypatch.setattr("os.fsync", fail)
    response = add(console, storage)
    assert (response.status_code, "No space left on device; nothing was changed" in problem(response)) == (409, True)
    assert path.read_bytes() == before


def test_a_read_only_console_offers_and_makes_no_changes(
    storage: Storage, open_console: StartConsole, tmp_path: Path
) -> None:
    path = write_ring(tmp_path / "ring.json", storage, k={"account": storage.account})
    console = open_console(storage, keyring_file=path, console_read_only=True)
    assert console.page("/keys").xpath("//a[. = 'Add a key' or . = 'Revoke']") == []
    for target in (FORM, revoke_path(storage, "k")):
        assert console.post(target, {"name": "x"}).status_code == 403
