"""Takes secrets out of what stored rows hold. Other programs write rows too, so any text may have one."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from adapters.tables.properties import Row
from proxy.observability.logs import mask

MASKED = "***"

LONGEST_SHOWN = 2000
"""Characters of a value that are shown."""

# The names of properties and JSON members with a secret value. Keys of rows have none.
_SECRET_NAME = re.compile("key|secret|token|password|signature|credential", re.IGNORECASE)
_KEYS_OF_ROWS = ("PartitionKey", "RowKey")

# Digests of keys, account keys, and what may follow the path of a URL.
_DIGEST = re.compile(r"(?<![0-9A-Za-z])(?:sha256:[0-9a-f]{2,64}|[0-9a-f]{64})(?![0-9A-Za-z])", re.ASCII)
_ACCOUNT_KEY = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{86}==", re.ASCII)
_QUERY = re.compile(r"(https?://[^\s?#\"'<>]{1,2000}+)[?#][^\s\"'<>]*", re.IGNORECASE)
_USER = re.compile(r"(https?://)[^\s/?#@\"'<>]{1,500}+@", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class StoredProperty:
    """A property of a row: its name, its type, its value without secrets, and how many characters are left out."""

    name: str
    type: str
    value: str
    left_out: int


def mask_secrets(text: str) -> str:
    """A text without what looks like a key, a digest of one, a signature, or the query of a URL."""
    text = _USER.sub(r"\1", _QUERY.sub(r"\1?...", text))
    return _ACCOUNT_KEY.sub(MASKED, _DIGEST.sub(MASKED, mask(text)))


def list_properties(row: Row) -> Iterator[StoredProperty]:
    """The properties of a row in their order."""
    for name, value in row.items():
        if "odata." not in name and value is not None:
            text = MASKED if _is_secret(name) else _mask_value(value)
            kind = str(row.get(f"{name}@odata.type") or _type_of(name, value)).removeprefix("Edm.")
            yield StoredProperty(name, kind, text[:LONGEST_SHOWN], max(0, len(text) - LONGEST_SHOWN))


def _mask_value(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    if text.startswith("{"):
        try:
            return json.dumps(_mask_members(json.loads(text)), ensure_ascii=False, indent=1)
        except (ValueError, RecursionError):
            pass  # it is masked as text
    return mask_secrets(text)


def _mask_members(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return {
            name: MASKED if each is not None and _is_secret(name) else _mask_members(each)
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [_mask_members(each) for each in value]
    return mask_secrets(value) if isinstance(value, str) else value


def _is_secret(name: str) -> bool:
    return name not in _KEYS_OF_ROWS and _SECRET_NAME.search(name) is not None


def _type_of(name: str, value: object) -> str:
    """The type of a value that needs none beside it in JSON."""
    if name == "Timestamp":
        return "DateTime"
    return {bool: "Boolean", int: "Int32", float: "Double"}.get(type(value), "String")
