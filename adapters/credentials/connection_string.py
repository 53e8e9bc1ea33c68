"""Parses connection strings, as the portal and the emulator write them."""

import base64
import binascii
from urllib.parse import urlsplit

from adapters.credentials.config import SharedKeyCredential, derive_queue_url
from adapters.errors import StorageError, StorageErrorCode

# The emulator's account and key are public constants of the Azure documentation, the same on every machine.
EMULATOR_ACCOUNT = "devstoreaccount1"
EMULATOR_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

_EMULATOR_CONNECTION = {
    "accountname": EMULATOR_ACCOUNT,
    "accountkey": EMULATOR_KEY,
    "tableendpoint": f"http://127.0.0.1:10002/{EMULATOR_ACCOUNT}",
    "blobendpoint": f"http://127.0.0.1:10000/{EMULATOR_ACCOUNT}",
    "queueendpoint": f"http://127.0.0.1:10001/{EMULATOR_ACCOUNT}",
}


def parse_connection_string(text: str) -> SharedKeyCredential:
    """The credential in a connection string.

    Raises:
        StorageError: the string can't be used; the text says why and holds no part of it.
    """
    pairs = [pair.partition("=") for pair in text.strip().strip(";").split(";")]
    if not all(name.strip() and separator for name, separator, _ in pairs):
        raise _error("the connection string is not made of Name=value;Name=value")
    parts = {name.strip().lower(): value.strip() for name, _, value in pairs}
    if parts.get("usedevelopmentstorage", "").lower() == "true":
        parts = _EMULATOR_CONNECTION
    for name in ("AccountName", "AccountKey"):
        if not parts.get(name.lower()):
            raise _error(f"the connection string has no {name}")
    scheme = parts.get("defaultendpointsprotocol", "https")
    name, suffix = parts["accountname"], parts.get("endpointsuffix", "core.windows.net")
    urls = {
        service: parts.get(f"{service}endpoint", f"{scheme}://{name}.{service}.{suffix}").rstrip("/")
        for service in ("table", "blob", "queue")
    }
    for service, url in urls.items():
        if not is_endpoint(url):
            raise _error(f"the connection string's {service} endpoint is not an http URL")
    if "queueendpoint" not in parts and "blobendpoint" in parts:
        urls["queue"] = derive_queue_url(urls["blob"]) or urls["queue"]
    return SharedKeyCredential(name, check_account_key(parts["accountkey"]), urls["table"], urls["blob"], urls["queue"])


def is_endpoint(url: str) -> bool:
    """Whether this is an http URL that the SDKs accept as an endpoint."""
    try:
        parts = urlsplit(url)
        is_http = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return is_http and parts.username is None and not set("?#\\") & set(url) and url.isascii() and url.isprintable()


def check_account_key(key: str) -> str:
    """Returns an account key that can sign.

    Raises:
        StorageError: the key is not base64.
    """
    try:
        base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        raise _error("the account key is not base64") from None
    return key


def _error(text: str) -> StorageError:
    return StorageError(StorageErrorCode.CREDENTIAL, text)
