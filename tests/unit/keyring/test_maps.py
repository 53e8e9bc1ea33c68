"""The Azure Maps of an account in the key ring (geocode contract, section 1)."""

import json
from typing import Any

import pytest

from adapters.credentials.config import MAPS_ENDPOINT, Identity, IdentityKind, MapsEntry
from proxy.keyring.file import parse_keyring
from proxy.keyring.keyring import KeyRing
from proxy.settings import SettingsError
from proxy.unknown_variables import unknown_variables

STORAGE = {"connection_string": "UseDevelopmentStorage=true"}
GUID = "0a1b2c3d-0000-1111-2222-333344445555"
SECRET = "hunter2-hunter2"  # noqa: S105 - it opens nothing


def ring(maps: object) -> KeyRing:
    accounts = {"contoso": {"storage": STORAGE, "maps": maps}, "fabrikam": {"storage": STORAGE}}
    return parse_keyring(json.dumps({"accounts": accounts, "keys": {}}))


@pytest.mark.parametrize(
    ("maps", "entry"),
    [
        ({"subscription_key_env": "MAPS_KEY"}, MapsEntry("MAPS_KEY")),
        (
            {"subscription_key_env": "MAPS_KEY", "endpoint": "https://eu.atlas.microsoft.com/"},
            MapsEntry("MAPS_KEY", endpoint="https://eu.atlas.microsoft.com"),
        ),
        (
            {"subscription_key_env": "MAPS_KEY", "endpoint": "http://127.0.0.1:8100"},
            MapsEntry("MAPS_KEY", endpoint="http://127.0.0.1:8100"),
        ),
        (
            {"subscription_key_env": "MAPS_KEY", "endpoint": "http://[::1]:8100"},
            MapsEntry("MAPS_KEY", endpoint="http://[::1]:8100"),
        ),
        ({"client_id": GUID, "credential": "default"}, MapsEntry(None, GUID, Identity(IdentityKind.DEFAULT))),
        (
            {"client_id": GUID, "credential": {"managed_identity": True, "client_id": "c"}},
            MapsEntry(None, GUID, Identity(IdentityKind.MANAGED_IDENTITY, client_id="c")),
        ),
        (
            {"client_id": GUID, "credential": {"tenant_id": "t", "client_id": "c", "client_secret_env": "S"}},
            MapsEntry(None, GUID, Identity(IdentityKind.CLIENT_SECRET, "t", "c", "S")),
        ),
    ],
)
def test_each_form_of_the_contract_is_read(maps: object, entry: MapsEntry) -> None:
    assert ring(maps).maps == {"contoso": entry}


def test_an_account_without_maps_has_none() -> None:
    assert ring(None).maps == {}
    assert MAPS_ENDPOINT == "https://atlas.microsoft.com"


@pytest.mark.parametrize(
    ("maps", "text"),
    [
        ({}, "must be subscription_key_env, or client_id with credential"),
        ({"endpoint": "https://atlas.microsoft.com"}, "must be subscription_key_env, or client_id with credential"),
        ({"client_id": GUID}, "must be subscription_key_env, or client_id with credential"),
        ({"credential": "default"}, "must be subscription_key_env, or client_id with credential"),
        ({"subscription_key_env": None}, "must be subscription_key_env, or client_id with credential"),
        ({"client_id": GUID, "credential": None}, "must be subscription_key_env, or client_id with credential"),
        ({"subscription_key_env": "A", "client_id": GUID, "credential": "default"}, "must be subscription_key_env, or"),
        ({"subscription_key_env": SECRET}, "must be the name of an environment variable, not its value"),
        ({"subscription_key": SECRET}, "not known here; did you mean subscription_key_env?"),
        ({"client_id": SECRET, "credential": "default"}, "client_id"),
        ({"client_id": GUID, "credential": {"client_id": "c"}}, "maps credential"),
        ({"subscription_key_env": "A", "endpoint": "http://atlas.microsoft.com"}, "must be an https URL"),
        ({"subscription_key_env": "A", "endpoint": "http://127.0.0.1.example.com"}, "must be an https URL"),
        ({"subscription_key_env": "A", "endpoint": "http://10.0.0.1"}, "must be an https URL"),
        ({"subscription_key_env": "A", "endpoint": f"https://u:{SECRET}@a"}, "must be an https URL"),
        ({"subscription_key_env": "A", "endpoint": f"https://a?k={SECRET}"}, "must be an https URL"),
        ({"subscription_key_env": "A", "endpoint": "ftp://127.0.0.1"}, "must be an https URL"),
        ({"subscription_key_env": "A", "endpoint": "http://["}, "must be an https URL"),
        ("MAPS_KEY", "has to be a JSON object"),
        (["MAPS_KEY"], "has to be a JSON object"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_account_and_the_member(maps: object, text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        ring(maps)
    message = str(caught.value)
    assert message.startswith("account 'contoso' maps")
    assert text in message
    assert len(message.splitlines()) == 1
    assert SECRET not in message


@pytest.mark.parametrize(
    "maps",
    [
        {"subscription_key_env": "PROXY_CONTOSO_MAPS"},
        {
            "client_id": GUID,
            "credential": {"tenant_id": "t", "client_id": "c", "client_secret_env": "PROXY_CONTOSO_MAPS"},
        },
    ],
)
def test_a_variable_that_maps_names_is_no_unknown_setting(maps: Any) -> None:
    assert ring(maps).variables == ["PROXY_CONTOSO_MAPS"]
    assert unknown_variables({"PROXY_CONTOSO_MAPS": "a"}, ring(maps).variables) == []
    assert unknown_variables({"PROXY_CONTOSO_MAPS": "a"}) != []
