"""`check`: says what is wrong, and holds no secret."""

import asyncio
import json
import re
import socket

import pytest

from adapters.credentials.connection_string import EMULATOR_KEY
from adapters.model.ticks import FIRST
from adapters.tables.worker_rows import WorkerRow
from proxy.bootstrap import ensure_storage_resources
from proxy.demo.azurite import Emulator, start_emulator
from proxy.settings import Settings, variable_name
from proxy.unknown_variables import AZD_VARIABLES
from tests.deploy.bicep_file import AZURE
from tests.integration.cli.conftest import Run
from tests.integration.worker.test_worker import ring_of
from tests.support.key_table_rows import KeyTableRows
from tests.support.storage import Storage
from tests.support.stub_servers import closed_port

SECRET = "c2VjcmV0LXNlY3JldC1zZWNyZXQ="  # noqa: S105 - opens nothing


def ring(**accounts: str) -> str:
    return json.dumps(
        {"accounts": {name: {"storage": {"connection_string": text}} for name, text in accounts.items()}, "keys": {}}
    )


def test_a_sound_account_is_ok(run: Run, storage: Storage) -> None:
    outcome = run("check")
    assert outcome.status == 0
    assert outcome.out.startswith(f"ok     {storage.account}: tables ")


def test_broken_accounts_are_reported_one_line_each_without_secrets(
    run: Run, storage: Storage, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    blob, table = (f"http://127.0.0.1:{port}/" for port in (emulator.blob_port, emulator.table_port))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hanging = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        hangs = f"AccountName=a;AccountKey={SECRET};TableEndpoint={hanging}a;BlobEndpoint={hanging}a"
        accounts = {
            "good": storage.connection_string,
            "keyless": "AccountName=a",
            "refused": f"AccountName=devstoreaccount1;AccountKey={SECRET};"
            f"TableEndpoint={table}devstoreaccount1;BlobEndpoint={blob}devstoreaccount1",
            "unreachable": f"AccountName=a;AccountKey={SECRET};"
            "TableEndpoint=http://127.0.0.1:1/a;BlobEndpoint=http://127.0.0.1:1/a",
        }
        monkeypatch.setenv("PROXY_KEYRING", ring(**accounts))
        outcome = run("check")
        monkeypatch.setenv("PROXY_KEYRING", ring(good=storage.connection_string, hangs=hangs, keyless="AccountName=a"))
        monkeypatch.setenv("PROXY_STORAGE_TIMEOUT", "1")
        late = run("check")
    assert (outcome.status, late.status) == (1, 1)
    told = dict(line.split(": ", 1) for line in outcome.out.splitlines())
    assert [name.split() for name in told] == [
        ["ok", "good"],
        ["broken", "keyless"],
        ["broken", "refused"],
        ["broken", "unreachable"],
        ["ok", "query", "cache"],
    ]
    # On a busy machine the good one may not answer within a second either.
    lines = [line.split(": ")[0].split() for line in late.out.splitlines()]
    assert [line[1] for line in lines] == ["good", "hangs", "keyless", "query"]
    assert re.search("^broken hangs: .*timeout", late.out, re.MULTILINE)
    assert "the connection string has no AccountKey" in told["broken keyless"]
    assert "tables refused: HTTP 403" in told["broken refused"]
    assert "blobs refused: HTTP 403" in told["broken refused"]
    assert "tables unreachable" in told["broken unreachable"]
    assert SECRET not in outcome.out + outcome.err + late.out + late.err


def test_a_table_that_is_still_missing_is_reported_and_is_no_fault(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXY_JOBS_TABLE", "nowhere")
    outcome = run("check")
    assert outcome.status == 0
    assert "without the jobs table, which serve creates if it may" in outcome.out


def test_what_a_first_start_creates_is_reported_and_is_no_fault(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with start_emulator() as fresh:
        monkeypatch.setenv("PROXY_KEYRING", ring(new=fresh.connection_string))
        outcome = run("check")
    assert outcome.status == 0
    for missing in ("jobs table", "datasources table", "container uploads", "container datasources"):
        assert f"without the {missing}, which serve creates if it may" in outcome.out
    assert "queue not there; serve creates it if it may" in outcome.out


@pytest.mark.parametrize(("service", "part"), [("Queue", "queue"), ("Blob", "blobs"), ("Table", "tables")])
def test_each_service_that_a_load_needs_is_looked_at(
    run: Run, storage: Storage, monkeypatch: pytest.MonkeyPatch, service: str, part: str
) -> None:
    with closed_port() as port:
        text = re.sub(rf"({service}Endpoint=http://127\.0\.0\.1):\d+", rf"\1:{port}", storage.connection_string)
        monkeypatch.setenv("PROXY_KEYRING", ring(**{storage.account: text}))
        outcome = run("check")
    assert outcome.status == 1
    assert outcome.out.startswith(f"broken {storage.account}: ")
    assert f"{part} unreachable: " in outcome.out


def test_a_worker_that_lives_is_reported_and_that_none_does_is_no_fault(run: Run, storage: Storage) -> None:
    none = run("check")
    assert none.status == 0
    assert "workers NONE has sent a heartbeat within 60 s: jobs wait until one runs" in none.out

    async def give() -> None:
        async with ring_of(storage).accounts as accounts:
            await ensure_storage_resources(accounts, 5)
            await accounts[storage.account].workers.write(WorkerRow("host:1:abcdef", FIRST, "1"))

    asyncio.run(give())
    outcome = run("check")
    assert (outcome.status, outcome.err) == (0, "")
    parts = ("tables", "blobs", "queue", "links", "workers", "queries")
    line = ", ".join("workers 1 alive" if part == "workers" else rf"{part} \d+ ms" for part in parts)
    assert re.fullmatch(rf"ok     {storage.account}: {line}", outcome.out.splitlines()[0])


def test_a_key_store_that_can_be_read_is_one_more_line(run: Run, rows: KeyTableRows) -> None:
    rows.make()
    empty = run("check")
    rows.add("a-key")
    sound = run("check")
    assert [empty.status, sound.status] == [0, 0]
    line = rf"ok     key store: table {rows.name} of the storage account devstoreaccount1 \d+ ms"
    assert re.fullmatch(line + "; no key was ever added", empty.out.splitlines()[-1])
    assert re.fullmatch(line, sound.out.splitlines()[-1])
    assert [each.split(":")[0] for each in sound.out.splitlines()] == [
        "ok     contoso",
        "ok     fabrikam",
        "ok     query cache",
        "ok     key store",
    ]


def test_a_key_store_without_its_table_says_which_command_makes_it(run: Run, rows: KeyTableRows) -> None:
    outcome = run("check")
    assert outcome.status == 1
    assert outcome.out.splitlines()[-1] == (
        f"broken key store: the storage account devstoreaccount1 has no table {rows.name}; `keys add` and `keys import`"
        " make it"
    )


def test_a_key_store_that_cannot_be_read_is_a_fault_within_the_deadline(
    run: Run, rows: KeyTableRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = {
        "timeout: nothing within 1 s": "AccountName=a;AccountKey=c2VjcmV0;TableEndpoint=http://127.0.0.1:{port}/a",
        "unreachable: ": "AccountName=a;AccountKey=c2VjcmV0;TableEndpoint=http://127.0.0.1:1/a",
        "refused: HTTP 403, ": rows.connection_string.replace(EMULATOR_KEY, SECRET),
        "credential: the connection string has no AccountKey (correct the key ring's key_store)": "AccountName=a",
    }
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for text, store in stores.items():
            monkeypatch.setenv("PROXY_STORAGE_TIMEOUT", "1" if "timeout" in text else "60")
            named = {"connection_string": store.format(port=silent.getsockname()[1])}
            monkeypatch.setenv("PROXY_KEYRING", rows.ring("contoso", key_store=named))
            outcome = run("check")
            assert outcome.status == 1
            assert outcome.out.splitlines()[-1].startswith(f"broken key store: {text}")
            assert SECRET not in outcome.out + outcome.err


def test_a_change_row_that_cannot_be_read_is_a_fault(run: Run, rows: KeyTableRows) -> None:
    rows.make().table.create_entity({"PartitionKey": "~", "RowKey": "changes", "Epoch": "e"})
    outcome = run("check")
    assert outcome.status == 1
    assert outcome.out.splitlines()[-1].startswith("broken key store: Sequence of the change row is missing")


def test_a_variable_that_the_key_store_names_is_no_mistake(
    run: Run, rows: KeyTableRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows.make()
    monkeypatch.setenv("PROXY_KEY_STORAGE", rows.connection_string)
    monkeypatch.setenv("PROXY_KEYRING", rows.ring("contoso", key_store={"connection_string_env": "PROXY_KEY_STORAGE"}))
    outcome = run("check")
    assert (outcome.status, outcome.err) == (0, "")


@pytest.mark.parametrize("command", ["serve", "check"])
@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"key_store": {"account_name": "contosokeys"}}, "PROXY_KEYRING: key ring: key_store: must be one of "),
        ({"key_store": "contosokeys"}, "PROXY_KEYRING: key ring: key_store: "),
        (
            {"keys": {"a-secret-key": {"account": "contoso"}, "another": {"account": "contoso"}}},
            "PROXY_KEYRING: key ring: it has a key_store and 2 keys of its own; `keys import --from-ring` writes them",
        ),
        ({"key_store": None}, "PROXY_KEYRING: key ring: keys: is missing; a ring has keys, or a key_store"),
    ],
)
def test_a_ring_whose_keys_are_nowhere_or_twice_is_one_line(
    run: Run, rows: KeyTableRows, monkeypatch: pytest.MonkeyPatch, command: str, members: dict[str, object], text: str
) -> None:
    monkeypatch.setenv("PROXY_KEYRING", rows.ring("contoso", **members))
    outcome = run(command)
    assert (outcome.status, outcome.out, outcome.err.count("\n")) == (1, "", 1)
    assert outcome.err.startswith(text)
    assert "a-secret-key" not in outcome.err


def test_the_jobs_of_a_ring_with_a_key_store_are_those_of_its_accounts(
    run: Run, rows: KeyTableRows, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROXY_KEYRING", rows.ring(storage.account))
    storage.job("Geocode")
    outcome = run("jobs", "list")
    assert (outcome.status, outcome.out.count("\n"), outcome.err) == (0, 1, "")


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("PROXY_PUBLC_URL", "PROXY_PUBLIC_URL"),
        ("PROXY_SAS_MINUTE", "PROXY_SAS_MINUTES"),
        ("proxy_keyring_path", "PROXY_KEYRING"),
        ("PROXY_", "PROXY_"),
    ],
)
def test_a_variable_that_is_no_setting_is_refused_with_the_nearest_name(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str, nearest: str
) -> None:
    monkeypatch.setenv(name, "secret")
    outcome = run("check")
    assert (outcome.status, outcome.out, outcome.err.count("\n")) == (1, "", 1)
    assert outcome.err.startswith(f"{name}: no such setting; the nearest name is {nearest}")
    assert "secret" not in outcome.err


def test_variables_of_azd_and_those_that_the_ring_names_are_no_mistakes(
    run: Run, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in AZD_VARIABLES:
        monkeypatch.setenv(name, "of azd")
    monkeypatch.setenv("PROXY_CONTOSO_STORAGE", storage.connection_string)
    named = {"accounts": {"contoso": {"storage": {"connection_string_env": "PROXY_CONTOSO_STORAGE"}}}, "keys": {}}
    monkeypatch.setenv("PROXY_KEYRING", json.dumps(named))
    outcome = run("check")
    assert (outcome.status, outcome.err) == (0, "")


def test_the_variables_of_azd_are_those_of_the_deployment() -> None:
    parameters = (AZURE / "main.parameters.json").read_text(encoding="utf-8")
    outputs = (AZURE / "main.bicep").read_text(encoding="utf-8")
    named = re.findall(r"\$\{(PROXY_\w+)", parameters) + re.findall(r"^output (PROXY_\w+)", outputs, re.MULTILINE)
    assert set(named) - {variable_name(field) for field in Settings.model_fields} == AZD_VARIABLES


def test_a_missing_setting_is_reported_with_the_misspelt_name(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROXY_PUBLIC_URL")
    monkeypatch.setenv("PROXY_PUBLC_URL", "https://a")
    outcome = run("serve")
    assert outcome.status == 1
    assert outcome.err.startswith("PROXY_PUBLIC_URL: must be set")
    assert outcome.err.endswith("; PROXY_PUBLC_URL: no such setting; the nearest name is PROXY_PUBLIC_URL\n")


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("PROXY_PUBLIC_URL", "ftp://x", "PROXY_PUBLIC_URL: must be an http"),
        ("PROXY_PORT", "many", "PROXY_PORT: "),
        ("PROXY_KEYRING", "{", "PROXY_KEYRING: key ring: not JSON"),
        ("PROXY_KEYRING", "", "exactly one of PROXY_KEYRING and PROXY_KEYRING_FILE must be set"),
    ],
)
def test_a_mistake_in_the_settings_is_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str, value: str, text: str
) -> None:
    monkeypatch.setenv(name, value)
    outcome = run("check")
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err.startswith(text)
    assert outcome.err.count("\n") == 1


def test_what_only_serve_requires_is_reported_and_is_no_fault(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROXY_PUBLIC_URL")
    outcome = run("check")
    assert (outcome.status, outcome.err) == (0, "PROXY_PUBLIC_URL is not set; serve requires it\n")
