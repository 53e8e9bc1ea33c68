"""Reads and writes the rows of the key store (keys contract, section 2).

A key row that can't be read hurts its own key alone: a newer version may have written it.
"""

import json
import re
from typing import Any

from azure.data.tables import EdmType, EntityProperty

from adapters.model.key_records import (
    MASTER,
    MAX_NAME_LENGTH,
    MAX_PATTERN_LENGTH,
    MAX_PATTERNS,
    MAX_RECENT,
    ROLES,
    ChangeLog,
    KeyRecord,
)
from adapters.model.ticks import Ticks, format_ticks
from adapters.tables.properties import MalformedRowError, Row, read_date, read_flag, read_text

CHANGES_PARTITION, CHANGES_ROW = "~", "changes"
NAMES_PARTITION = "~names"

_DIGEST = re.compile("[0-9a-f]{64}")


def key_partition(digest: str) -> str:
    """The partition of a key row: the first two digits of its digest."""
    return digest[:2]


def read_key(row: Row) -> KeyRecord:
    """The key of a row.

    Raises:
        MalformedRowError: a property is missing, of a wrong type or unknown. The text holds no value of the row.
    """
    digest = row.get("RowKey")
    if not isinstance(digest, str) or _DIGEST.fullmatch(digest) is None:
        raise MalformedRowError("RowKey is not the SHA-256 of a key in lower-case hex")
    if row.get("PartitionKey", key_partition(digest)) != key_partition(digest):  # only lists find such a row
        raise MalformedRowError("PartitionKey is not the beginning of RowKey")
    account, role = read_text(row, "Account", _refuse), row.get("Role", MASTER)
    name = read_text(row, "Name", _refuse)
    if account is None:
        raise MalformedRowError("Account is missing")
    if role not in ROLES:  # also an empty one: it must not become the role that may do everything
        raise MalformedRowError(f"Role must be one of {', '.join(ROLES)}")
    if name is not None and (len(name) > MAX_NAME_LENGTH or not name.isprintable()):
        raise MalformedRowError(f"Name must have at most {MAX_NAME_LENGTH} printable characters")
    return KeyRecord(
        digest,
        account,
        role,
        name,
        _read_patterns(row),
        read_date(row, "ExpiresAt", _refuse),
        read_date(row, "CreatedAt", _refuse),
        read_revocation(row),
        read_flag(row, "Shadow", _refuse),
    )


def read_revocation(row: Row) -> Ticks | None:
    """When the key was revoked. A value that is no time revokes too: that it is there is enough."""
    if row.get("RevokedAt") is None:
        return None
    return read_date(row, "RevokedAt", lambda _: None) or Ticks(0)


def write_key(record: KeyRecord) -> dict[str, Any]:
    """The entity of a key row."""
    dates = {"ExpiresAt": record.expires, "CreatedAt": record.created, "RevokedAt": record.revoked}
    patterns = None if record.data_sources is None else json.dumps(record.data_sources, ensure_ascii=False)
    optional = {
        "Name": record.name,
        "DataSources": patterns,
        **{name: write_date(ticks) for name, ticks in dates.items() if ticks is not None},
        "Shadow": True if record.shadow else None,
    }
    entity = {
        "PartitionKey": key_partition(record.digest),
        "RowKey": record.digest,
        "Account": record.account,
        "Role": record.role,
    }
    return entity | {name: value for name, value in optional.items() if value is not None}


def write_date(ticks: Ticks) -> EntityProperty:
    """A DateTime property."""
    return EntityProperty(format_ticks(ticks), EdmType.DATETIME)


def read_changes(row: Row) -> ChangeLog:
    """The change row.

    Raises:
        MalformedRowError: it can't be read.
    """
    epoch = read_text(row, "Epoch", _refuse)
    try:
        sequence = int(row["Sequence"])
    except (KeyError, OverflowError, TypeError, ValueError):
        raise MalformedRowError("Sequence of the change row is missing or of a wrong type") from None
    if epoch is None:
        raise MalformedRowError("Epoch of the change row is missing")
    return ChangeLog(epoch, sequence, _read_recent(row), str(row.get("odata.etag", "")))


def _read_recent(row: Row) -> tuple[tuple[int, str], ...]:
    """The newest changes. A list that can't be read reaches back to none of them, so that any key may have changed."""
    try:
        return tuple((int(number), str(prefix)) for number, prefix in json.loads(row["Recent"]))
    except (KeyError, OverflowError, TypeError, ValueError, RecursionError):
        return ()


def write_changes(changes: ChangeLog) -> dict[str, Any]:
    """The entity of the change row."""
    return {
        "PartitionKey": CHANGES_PARTITION,
        "RowKey": CHANGES_ROW,
        "Epoch": changes.epoch,
        "Sequence": EntityProperty(changes.sequence, EdmType.INT64),
        "Recent": json.dumps(changes.recent[:MAX_RECENT], separators=(",", ":")),
    }


def _read_patterns(row: Row) -> tuple[str, ...] | None:
    text = row.get("DataSources")
    if text is None:
        return None
    try:
        patterns = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        raise MalformedRowError("DataSources is not JSON") from None
    if not isinstance(patterns, list) or not all(_is_pattern(pattern) for pattern in patterns):
        raise MalformedRowError(f"DataSources must be an array of texts of 1 to {MAX_PATTERN_LENGTH} characters")
    if len(patterns) > MAX_PATTERNS:
        raise MalformedRowError(f"DataSources must have at most {MAX_PATTERNS} patterns")
    return tuple(patterns)


def _is_pattern(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_PATTERN_LENGTH


def _refuse(text: str) -> None:
    # A property that is left out would widen what the key may do: an ExpiresAt that is no date, for instance.
    raise MalformedRowError(text)
