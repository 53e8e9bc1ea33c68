"""What a key ring may say of an account's storage, and what that opens.

The kinds are data: the key ring fills them in without looking into any, and `open_credential` is the one place where
they turn into something that can sign.
"""

import base64
import binascii
import os
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from adapters.errors import Fault, StorageFaultError

# The emulator's account and key are public constants of the Azure documentation, the same on every machine.
EMULATOR_ACCOUNT = "devstoreaccount1"
EMULATOR_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

_EMULATOR_CONNECTION = {
    "accountname": EMULATOR_ACCOUNT,
    "accountkey": EMULATOR_KEY,
    "tableendpoint": f"http://127.0.0.1:10002/{EMULATOR_ACCOUNT}",
    "blobendpoint": f"http://127.0.0.1:10000/{EMULATOR_ACCOUNT}",
}


@dataclass(frozen=True, slots=True)
class ConnectionString:
    """A connection string written in the key ring, or the name of the environment variable that holds one."""

    value: str | None = field(default=None, repr=False)
    variable: str | None = None


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where an account's services answer; a URL that is not given follows from the account's name and the suffix."""

    account_name: str
    suffix: str = "core.windows.net"
    table_url: str | None = None
    blob_url: str | None = None

    def table(self) -> str:
        """The table endpoint, without a slash at its end."""
        return (self.table_url or f"https://{self.account_name}.table.{self.suffix}").rstrip("/")

    def blob(self) -> str:
        """The blob endpoint, without a slash at its end."""
        return (self.blob_url or f"https://{self.account_name}.blob.{self.suffix}").rstrip("/")


@dataclass(frozen=True, slots=True)
class AccountKey:
    """An account name, and the environment variable that holds its key."""

    endpoints: Endpoints
    variable: str


@dataclass(frozen=True, slots=True)
class Identity:
    """An account name, and the Microsoft Entra identity that may read it."""

    endpoints: Endpoints
    kind: str
    tenant_id: str | None = None
    client_id: str | None = None
    client_secret_variable: str | None = None


StorageEntry = ConnectionString | AccountKey | Identity


@dataclass(frozen=True, slots=True)
class SharedKey:
    """A credential that signs with the account's own key."""

    account_name: str
    account_key: str = field(repr=False)
    table_url: str
    blob_url: str


def open_credential(entry: StorageEntry) -> SharedKey:
    """Turns a key ring's storage entry into a credential; no request is made.

    Raises:
        StorageFaultError: the entry can't be used; the text says why and holds no part of it.
    """
    if isinstance(entry, ConnectionString):
        text = entry.value if entry.variable is None else _variable(entry.variable)
        return _from_connection_string(text or "")
    if isinstance(entry, AccountKey):
        endpoints = entry.endpoints
        key = _checked_key(_variable(entry.variable))
        return SharedKey(endpoints.account_name, key, endpoints.table(), endpoints.blob())
    raise StorageFaultError(Fault.CREDENTIAL, f"credential kind {entry.kind} can't be opened by this version")


def _from_connection_string(text: str) -> SharedKey:
    pairs = [pair.partition("=") for pair in text.strip().strip(";").split(";")]
    if not all(name.strip() and separator for name, separator, _ in pairs):
        raise StorageFaultError(Fault.CREDENTIAL, "the connection string is not made of Name=value;Name=value")
    parts = {name.strip().lower(): value.strip() for name, _, value in pairs}
    if parts.get("usedevelopmentstorage", "").lower() == "true":
        parts = _EMULATOR_CONNECTION
    for name in ("AccountName", "AccountKey"):
        if not parts.get(name.lower()):
            raise StorageFaultError(Fault.CREDENTIAL, f"the connection string has no {name}")
    scheme = parts.get("defaultendpointsprotocol", "https")
    name, suffix = parts["accountname"], parts.get("endpointsuffix", "core.windows.net")
    urls = {
        service: parts.get(f"{service}endpoint", f"{scheme}://{name}.{service}.{suffix}").rstrip("/")
        for service in ("table", "blob")
    }
    for service, url in urls.items():
        if not _is_endpoint(url):
            raise StorageFaultError(Fault.CREDENTIAL, f"the connection string's {service} endpoint is not an http URL")
    return SharedKey(name, _checked_key(parts["accountkey"]), urls["table"], urls["blob"])


def _is_endpoint(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _variable(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise StorageFaultError(Fault.CREDENTIAL, f"the environment variable {name} is not set")
    return value


def _checked_key(key: str) -> str:
    try:
        base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        raise StorageFaultError(Fault.CREDENTIAL, "the account key is not base64") from None
    return key
