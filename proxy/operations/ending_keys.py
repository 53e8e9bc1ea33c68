"""Finds the keys that end soon, or ended of late, of the key ring or of its key store."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from adapters.credentials.config import StorageEntry
from adapters.model.key_records import KeyRecord
from adapters.model.ticks import PER_SECOND, Ticks, format_ticks, from_datetime
from adapters.tables.key_table import KeyTable
from proxy.keyring.keyring import KeyRing
from proxy.operations.keys.key_ends import LATELY, SOON
from proxy.operations.keys.lines import shown

_SELECT = "RowKey,Account,Role,Name,ExpiresAt,RevokedAt"


@dataclass(frozen=True, slots=True, order=True)
class EndingKey:
    """A key that ends, or has ended, at `end`; `seconds` from now, below 0 for the past."""

    end: Ticks
    seconds: float
    name: str


EndingKeys = Mapping[str, tuple[EndingKey, ...]]
"""The keys of each account, the first to end first. Accounts without such keys are left out."""


def find_in_ring(ring: KeyRing) -> EndingKeys:
    """The keys that end of a ring that holds its keys."""
    found = [
        (grant.account, digest.hex(), grant.name, from_datetime(grant.expires))
        for digest, grant in ring.grants.items()
        if grant.expires is not None
    ]
    return _group(found)


async def find_in_store(store: StorageEntry, table_name: str, page_seconds: float) -> EndingKeys:
    """The keys that end of a key store. Storage looks at every row for it.

    Args:
        store: the store's entry in the key ring.
        table_name: the name of its table.
        page_seconds: the deadline of one page of rows.

    Raises:
        StorageError: the store can't be read.
    """
    first, last = (format_ticks(moment) for moment in _bounds())
    where = f"ExpiresAt ge datetime'{first}' and ExpiresAt le datetime'{last}'"
    table = KeyTable(store, table_name, page_seconds)
    try:
        found = [key async for key in table.list_keys(where, _SELECT) if isinstance(key, KeyRecord)]
    finally:
        await table.close()
    return _group(
        [(key.account, key.digest, key.name, key.expires) for key in found if key.expires and key.revoked is None]
    )


def _bounds() -> tuple[Ticks, Ticks]:
    now = datetime.now(UTC)
    return from_datetime(now - LATELY), from_datetime(now + SOON)


def _group(found: list[tuple[str, str, str | None, Ticks]]) -> EndingKeys:
    first, last = _bounds()
    now, ends = from_datetime(datetime.now(UTC)), dict[str, list[EndingKey]]()
    for account, digest, name, end in found:
        if first <= end <= last:
            label = name or shown(digest)
            ends.setdefault(account, []).append(EndingKey(end, (end - now) / PER_SECOND, label))
    return {account: tuple(sorted(keys)) for account, keys in ends.items()}
