"""A mistake in the key ring is one line that names the account or the key's digest, never the key."""

import hashlib
import json
from typing import Any

import pytest

from proxy.keyring.file import parse_keyring
from proxy.settings import SettingsError

KEY = "hunter2"  # the key that no message may hold
STORAGE = {"connection_string": "UseDevelopmentStorage=true"}
NAMED = {"account_name": "contosodata"}


def _digest(key: str) -> str:
    return "sha256:" + hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _ring(keys: object = None, accounts: object = None) -> str:
    return json.dumps({"accounts": accounts or {"contoso": {"storage": STORAGE}}, "keys": {} if keys is None else keys})


def _mistake(text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        parse_keyring(text)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert KEY not in message
    return message


def _key_mistake(**members: Any) -> str:
    message = _mistake(_ring({KEY: {"account": "contoso"} | members}))
    assert _digest(KEY)[:19] in message
    return message


def _storage_mistake(storage: object) -> str:
    message = _mistake(_ring(accounts={"contoso": {"storage": storage}}))
    assert "contoso" in message
    return message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "5",
        '"x"',
        "{}",
        '{"accounts": {}, "keys": {}}',
        "[" * 100_000,
        '{"accounts": ' + "1" * 5000 + "}",
    ],
    ids=lambda text: str(text)[:20],
)
def test_what_is_no_ring_is_one_line(text: str) -> None:
    assert _mistake(text)


@pytest.mark.parametrize("text", [f'{{"keys": {{"{KEY}": {{}}', f'{{"keys": "{KEY}\n"}}', f'{{"{KEY}": nope}}'])
def test_broken_json_is_located(text: str) -> None:
    assert "line" in _mistake(text)


@pytest.mark.parametrize("keys", [[KEY], KEY, {KEY: "contoso"}, {KEY: None}, {KEY: [KEY]}])
def test_malformed_keys_are_not_shown(keys: object) -> None:
    assert "key" in _mistake(_ring(keys))


@pytest.mark.parametrize(
    "members",
    [
        {"account": "fabrikam"},
        {"account": ""},
        {"account": None},
        {"account": 5},
        {"role": "root"},
        {"role": None},
        {"expires": "2028-06-30T00:00:00"},
        {"expires": "soon"},
        {"expire": "2028-06-30T00:00:00Z"},
        {"data_sources": "FourthCoffee"},
        {"data_sources": [""]},
        {"data_sources": [5]},
        {"two\nlines": 1},
    ],
    ids=repr,
)
def test_a_mistake_in_a_key_names_the_start_of_its_digest(members: dict[str, Any]) -> None:
    assert _key_mistake(**members)


def test_a_key_must_have_an_account() -> None:
    assert "account" in _mistake(_ring({KEY: {}}))


@pytest.mark.parametrize("written", ["", "sha256:abc", "sha256:" + "A" * 64, _digest(KEY) + " ", "sha256:" + "g" * 64])
def test_a_digest_has_64_lowercase_hex_digits(written: str) -> None:
    message = _mistake(_ring({written: {"account": "contoso"}}))
    assert "64 lowercase hex digits" in message
    assert not written or written not in message


def test_a_key_in_the_clear_and_as_a_digest_is_a_duplicate() -> None:
    assert "twice" in _mistake(_ring({KEY: {"account": "contoso"}, _digest(KEY): {"account": "contoso"}}))


@pytest.mark.parametrize("place", [f'{{"{KEY}": 1, "{KEY}": 2}}', f'{{"keys": {{"{KEY}": 1, "{KEY}": 2}}}}'])
def test_a_repeated_name_is_a_mistake(place: str) -> None:
    message = _mistake(place)
    assert "twice" in message
    assert _digest(KEY)[:19] in message


def test_a_key_in_the_wrong_place_is_not_shown() -> None:
    ring = json.loads(_ring()) | {KEY: {"account": "contoso"}}
    assert _mistake(json.dumps(ring))
    assert "its account and its key are swapped" in _mistake(_ring({"contoso": {"account": KEY}}))


@pytest.mark.parametrize(
    "storage",
    [
        {},
        {"connection_string": 5},
        {"connection_string": "a", "connection_string_env": "b"},
        {"connection_string_env": ""},
        STORAGE | {"account_name": None},
        STORAGE | {"endpoint_suffix": "x"},
        NAMED,
        NAMED | {"account_key_env": "X", "credential": "default"},
        NAMED | {"account_key": "X"},
        NAMED | {"credential": "other"},
        NAMED | {"credential": {}},
        NAMED | {"credential": {"managed_identity": False}},
        NAMED | {"credential": {"managed_identity": True, "tenant_id": "t"}},
        NAMED | {"credential": {"tenant_id": "t", "client_id": "c"}},
        NAMED | {"credential": "default", "table_url": "ftp://x"},
        NAMED | {"credential": "default", "blob_url": "https://user:hunter2@x"},
        NAMED | {"credential": "default", "blob_url": "https://x/?sig=hunter2"},
        NAMED | {"credential": "default", "queue_url": "ftp://x"},
        {"two\nlines": 1},
        "UseDevelopmentStorage=true",
    ],
    ids=repr,
)
def test_a_mistake_in_storage_names_the_account(storage: object) -> None:
    assert _storage_mistake(storage)


@pytest.mark.parametrize("account", [{}, {"storage": STORAGE, "owner": "x"}, "x", None])
def test_a_mistake_in_an_account_names_it(account: object) -> None:
    assert "contoso" in _mistake(_ring(accounts={"contoso": account}))


@pytest.mark.parametrize("ring", ["[]", _ring(accounts={"contoso": []}), _ring({KEY: "contoso"})])
def test_no_object_is_reported_without_class_names(ring: str) -> None:
    assert _mistake(ring).endswith("has to be a JSON object")


@pytest.mark.parametrize("name", ["", "a/b", "a\\b", "a#b", "a?b", "a\nb", "a" * 513], ids=repr)
def test_an_account_name_must_be_a_partition_key(name: str) -> None:
    assert "account" in _mistake(_ring(accounts={name: {"storage": STORAGE}}))


@pytest.mark.parametrize("name", [".", "..", "~workers", "~", "a~b", "contoso~"])
def test_an_account_name_unfit_for_storage_is_refused(name: str) -> None:
    message = _mistake(_ring(accounts={"contoso": {"storage": STORAGE}, name: {"storage": STORAGE}}))
    assert f"account {name!r}" in message
    assert "rename the account" in message


@pytest.mark.parametrize("name", ["a.b", "...", ".a", "Contoso Ltd", "größe", "a-b"])
def test_an_account_name_may_be_odd(name: str) -> None:
    assert set(parse_keyring(_ring(accounts={name: {"storage": STORAGE}})).accounts) == {name}
