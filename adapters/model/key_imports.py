"""An import of keys: what a file says of each, and what becomes of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from adapters.model.key_records import KeyRecord

KEY_FIELDS = frozenset({"account", "role", "name", "data_sources", "expires", "shadow"})
"""The fields of a `KeyRecord` that an import can change."""


class ImportOutcome(Enum):
    """What an import did with a key."""

    ADDED = "added"
    SAME = "same"
    CHANGED = "changed"
    REVOKED = "revoked"


ImportCounts = Counter[tuple[str, ImportOutcome]]
"""How many keys of each account had each outcome."""


@dataclass(frozen=True, slots=True)
class KeyImport:
    """Keys to import. A field that the file does not speak of stays as it is."""

    records: Sequence[KeyRecord]
    fields: frozenset[str] = KEY_FIELDS

    def merge(self, record: KeyRecord, before: KeyRecord | None) -> KeyRecord:
        """One of the records as it is to be stored over the one that is there."""
        if before is None:
            return record
        return replace(before, **{name: getattr(record, name) for name in self.fields})
