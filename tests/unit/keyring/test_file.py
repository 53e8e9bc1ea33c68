"""What a key ring says, and where it is read from."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from adapters.credentials.config import (
    AccountKeyConfig,
    ConnectionStringConfig,
    Endpoints,
    IdentityConfig,
    IdentityKind,
)
from proxy.keyring.file import load_keyring, parse_keyring
from proxy.keyring.keyring import Role
from proxy.settings import SettingsError, load_settings

KEY = "hunter2"  # the key that no message may hold
STORAGE = {"connection_string": "UseDevelopmentStorage=true"}
NAMED = {"account_name": "contosodata"}


def _digest(key: str) -> str:
    return "sha256:" + hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _ring(keys: object = None, accounts: object = None) -> str:
    return json.dumps({"accounts": accounts or {"contoso": {"storage": STORAGE}}, "keys": {} if keys is None else keys})


def test_the_ring_of_the_design_is_read() -> None:
    secret = {"tenant_id": "t", "client_id": "c", "client_secret_env": "ADATUM_SECRET"}
    ring = parse_keyring(
        json.dumps(
            {
                "accounts": {
                    "contoso": {"storage": STORAGE},
                    "fabrikam": {"storage": {"account_name": "fabrikamdata", "credential": "default"}},
                    "adatum": {"storage": {"account_name": "adatumdata", "credential": secret}},
                },
                "keys": {
                    _digest("one"): {"account": "contoso", "role": "master", "expires": "2028-06-30T00:00:00Z"},
                    _digest("two"): {"account": "contoso", "role": "master", "data_sources": ["FourthCoffee*"]},
                    "AbCd...": {"account": "fabrikam", "role": "query"},
                },
            }
        )
    )
    assert ring.accounts["contoso"] == ConnectionStringConfig("UseDevelopmentStorage=true")
    assert ring.accounts["fabrikam"] == IdentityConfig(Endpoints("fabrikamdata"), IdentityKind.DEFAULT)
    assert ring.accounts["adatum"] == IdentityConfig(
        Endpoints("adatumdata"), IdentityKind.CLIENT_SECRET, "t", "c", "ADATUM_SECRET"
    )
    grants = {digest.hex()[:4]: grant for digest, grant in ring.grants.items()}
    one, two, clear = (grants[_digest(key)[7:11]] for key in ("one", "two", "AbCd..."))
    assert one.expires is not None
    assert one.expires.year == 2028
    assert two.allows("fourthcoffeeshops")
    assert (clear.account, clear.role) == ("fabrikam", Role.QUERY)


@pytest.mark.parametrize(
    ("storage", "entry"),
    [
        ({"connection_string_env": "X"}, ConnectionStringConfig(variable="X")),
        (NAMED | {"account_key_env": "X"}, AccountKeyConfig(Endpoints("contosodata"), "X")),
        (
            NAMED | {"credential": {"managed_identity": True}},
            IdentityConfig(Endpoints("contosodata"), IdentityKind.MANAGED_IDENTITY),
        ),
        (
            NAMED | {"credential": {"managed_identity": True, "client_id": "c"}},
            IdentityConfig(Endpoints("contosodata"), IdentityKind.MANAGED_IDENTITY, client_id="c"),
        ),
        (
            NAMED | {"account_key_env": "X", "endpoint_suffix": "core.chinacloudapi.cn"},
            AccountKeyConfig(Endpoints("contosodata", "core.chinacloudapi.cn"), "X"),
        ),
        (
            NAMED | {"credential": "default", "table_url": "https://t:1/x", "blob_url": "http://b"},
            IdentityConfig(
                Endpoints("contosodata", table_url="https://t:1/x", blob_url="http://b"), IdentityKind.DEFAULT
            ),
        ),
        (
            NAMED | {"credential": "default", "queue_url": "https://q:1/x"},
            IdentityConfig(Endpoints("contosodata", queue_url="https://q:1/x"), IdentityKind.DEFAULT),
        ),
    ],
)
def test_every_form_of_storage_is_read(storage: dict[str, Any], entry: object) -> None:
    assert parse_keyring(_ring(accounts={"contoso": {"storage": storage}})).accounts == {"contoso": entry}


def test_a_ring_holds_only_digests_of_keys() -> None:
    for written in (KEY, _digest(KEY)):
        ring = parse_keyring(_ring({written: {"account": "contoso"}}))
        assert list(ring.grants) == [hashlib.sha256(KEY.encode()).digest()]
        assert KEY not in repr(ring)


def test_a_ring_may_have_no_keys_yet() -> None:
    assert parse_keyring(_ring()).grants == {}


def test_a_ring_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "ring.json"
    for start in ("", "\ufeff"):  # editors on Windows begin files with a BOM
        file.write_text(start + _ring({"schlüssel": {"account": "contoso"}}), encoding="utf-8")
        assert len(load_keyring(load_settings(keyring_file=file)).grants) == 1


@pytest.mark.parametrize("content", [None, b"\xff\xfe{}", b"{"], ids=repr)
def test_a_mistake_in_a_file_names_its_variable(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "ring.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match=r"^PROXY_KEYRING_FILE: key ring: [^\n]+$"):
        load_keyring(load_settings(keyring_file=file))


def test_a_mistake_in_the_inline_ring_names_its_variable() -> None:
    with pytest.raises(SettingsError, match=r"^PROXY_KEYRING: key ring: [^\n]+$") as caught:
        load_keyring(load_settings(keyring=f'{{"{KEY}'))
    assert KEY not in str(caught.value)
