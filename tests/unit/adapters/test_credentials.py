"""The forms of a credential. An error names the mistake without any part of the secret."""

import pytest

from adapters.credentials.config import AccountKeyConfig, ConnectionStringConfig, Endpoints, SharedKeyCredential
from adapters.credentials.connection_string import EMULATOR_ACCOUNT, EMULATOR_KEY, parse_connection_string
from adapters.credentials.factory import open_credential
from adapters.errors import StorageError, StorageErrorCode

SECRET = "SGVsbG8sIHNlY3JldCE="  # noqa: S105 - it opens nothing
FULL = f"DefaultEndpointsProtocol=https;AccountName=contosodata;AccountKey={SECRET};EndpointSuffix=core.windows.net"


def _open(text: str) -> SharedKeyCredential:
    return parse_connection_string(text)


def _refusal(text: str) -> str:
    with pytest.raises(StorageError) as caught:
        _open(text)
    assert caught.value.code is StorageErrorCode.CREDENTIAL
    message = str(caught.value)
    assert SECRET not in message
    assert "hunter2" not in message
    assert "\n" not in message
    return message


def test_connection_string_of_the_portal_is_parsed() -> None:
    assert _open(FULL) == SharedKeyCredential(
        "contosodata",
        SECRET,
        "https://contosodata.table.core.windows.net",
        "https://contosodata.blob.core.windows.net",
        "https://contosodata.queue.core.windows.net",
    )


@pytest.mark.parametrize(
    "text", [f"{FULL};", f" {FULL} \n", FULL.replace(";", " ; "), FULL.replace("AccountName", "ACCOUNTNAME")]
)
def test_connection_string_ignores_blanks_and_case(text: str) -> None:
    assert _open(text) == _open(FULL)


def test_suffix_selects_a_sovereign_cloud() -> None:
    opened = _open(FULL.replace("core.windows.net", "core.chinacloudapi.cn"))
    assert opened.table_url == "https://contosodata.table.core.chinacloudapi.cn"


def test_protocol_and_suffix_have_defaults() -> None:
    assert _open(f"AccountName=contosodata;AccountKey={SECRET}") == _open(FULL)


def test_explicit_endpoint_overrides_the_suffix() -> None:
    opened = _open(f"{FULL};TableEndpoint=https://10.0.0.1:8443/t/;BlobEndpoint=http://blobs.example.net")
    assert (opened.table_url, opened.blob_url) == ("https://10.0.0.1:8443/t", "http://blobs.example.net")
    assert opened.queue_url == "https://contosodata.queue.core.windows.net"
    assert _open(f"{FULL};QueueEndpoint=https://q:1/x/").queue_url == "https://q:1/x"


@pytest.mark.parametrize(
    ("blob_url", "queue_url"),
    [
        ("https://x.blob.core.chinacloudapi.cn/", "https://x.queue.core.chinacloudapi.cn"),
        ("https://x-secondary.blob.storage.azure.net:8443", "https://x-secondary.queue.storage.azure.net:8443"),
        ("https://x.blob.example.net/a.blob.b", "https://x.queue.example.net/a.blob.b"),
        ("https://files.example.net", "https://contosodata.queue.core.windows.net"),
    ],
)
def test_queue_endpoint_follows_the_blob_endpoint(blob_url: str, queue_url: str) -> None:
    assert _open(f"{FULL};BlobEndpoint={blob_url}").queue_url == queue_url
    assert Endpoints("contosodata", blob_url=blob_url).queue() == queue_url
    assert Endpoints("contosodata", blob_url=blob_url, queue_url="https://q/").queue() == "https://q"


@pytest.mark.parametrize(
    "text", ["UseDevelopmentStorage=true", "usedevelopmentstorage=TRUE;", " UseDevelopmentStorage = true "]
)
def test_emulator_has_a_short_form(text: str) -> None:
    assert _open(text) == SharedKeyCredential(
        EMULATOR_ACCOUNT,
        EMULATOR_KEY,
        f"http://127.0.0.1:10002/{EMULATOR_ACCOUNT}",
        f"http://127.0.0.1:10000/{EMULATOR_ACCOUNT}",
        f"http://127.0.0.1:10001/{EMULATOR_ACCOUNT}",
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        ";",
        "hunter2",
        "UseDevelopmentStorage",
        f"AccountKey={SECRET};;AccountName=x",
        f"={SECRET}",
        f"a=b;{SECRET[:-1]}",
    ],
)
def test_malformed_connection_string_is_refused(text: str) -> None:
    assert "not made of Name=value" in _refusal(text)


@pytest.mark.parametrize("name", ["AccountName", "AccountKey"])
def test_missing_member_is_named(name: str) -> None:
    without = ";".join(pair for pair in FULL.split(";") if not pair.startswith(name))
    assert name in _refusal(without)
    assert name in _refusal(f"{without};{name}=")
    assert "AccountName" in _refusal("UseDevelopmentStorage=false")


@pytest.mark.parametrize("key", ["hunter2", "hunter2!", "====", "é"])
def test_key_that_is_not_base64_is_refused(key: str) -> None:
    assert "not base64" in _refusal(f"AccountName=x;AccountKey={key}")


@pytest.mark.parametrize(
    "url", ["ftp://hunter2", "hunter2", "https://", "https://hunter2:0", "https://h:99999", "http://[hunter2"]
)
def test_malformed_endpoint_names_its_service(url: str) -> None:
    assert "table endpoint" in _refusal(f"{FULL};TableEndpoint={url}")
    assert "blob endpoint" in _refusal(f"{FULL};BlobEndpoint={url}")
    assert "queue endpoint" in _refusal(f"{FULL};QueueEndpoint={url}")


def test_secret_in_a_variable_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTOSO_STORAGE", FULL)
    monkeypatch.setenv("CONTOSO_KEY", SECRET)
    assert open_credential(ConnectionStringConfig(variable="CONTOSO_STORAGE")) == _open(FULL)
    assert open_credential(AccountKeyConfig(Endpoints("contosodata"), "CONTOSO_KEY")) == _open(FULL)
    monkeypatch.setenv("CONTOSO_KEY", "hunter2!")
    with pytest.raises(StorageError, match="not base64") as caught:
        open_credential(AccountKeyConfig(Endpoints("contosodata"), "CONTOSO_KEY"))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("value", [None, ""])
def test_unset_variable_is_named(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("CONTOSO_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("CONTOSO_KEY", value)
    for entry in (
        ConnectionStringConfig(variable="CONTOSO_KEY"),
        AccountKeyConfig(Endpoints("contosodata"), "CONTOSO_KEY"),
    ):
        with pytest.raises(StorageError, match="CONTOSO_KEY is not set"):
            open_credential(entry)


def test_endpoints_follow_from_name_and_suffix() -> None:
    assert Endpoints("x", "example.net").table() == "https://x.table.example.net"
    assert Endpoints("x").blob() == "https://x.blob.core.windows.net"
    assert Endpoints("x", table_url="https://t/", blob_url="https://b/x/").table() == "https://t"
    assert Endpoints("x", table_url="https://t/", blob_url="https://b/x/").blob() == "https://b/x"


def test_repr_holds_no_secret() -> None:
    assert SECRET not in repr(_open(FULL))
    assert SECRET not in repr(ConnectionStringConfig(FULL))
