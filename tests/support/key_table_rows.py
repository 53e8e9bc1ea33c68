"""A key store's table as an operator's commands leave it, read by the plain SDK."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, Self
from uuid import uuid4

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableClient

from tests.support.written_keys import WrittenKeys


class KeyTableRows(WrittenKeys):
    """A table of keys in the emulator that is not made yet."""

    connection_string = ""

    @classmethod
    @contextmanager
    def unmade(cls, connection_string: str) -> Iterator[Self]:
        """A table of its own name."""
        with TableClient.from_connection_string(connection_string, f"keys{uuid4().hex[:16]}") as table:
            rows = cls(table)
            rows.connection_string = connection_string
            yield rows

    def make(self) -> Self:
        """Makes the table."""
        self.table.create_table()
        return self

    def ring(self, *accounts: str, **members: Any) -> str:
        """A key ring with its keys in this table."""
        storage = {"connection_string": self.connection_string}
        return json.dumps(
            {"accounts": {name: {"storage": storage} for name in accounts}, "key_store": storage, **members}
        )

    def write_name(self, row_key: str, digest: str) -> None:
        """Writes a name row."""
        self.table.upsert_entity({"PartitionKey": "~names", "RowKey": row_key, "Digest": digest})

    def get(self, key: str) -> dict[str, Any]:
        """A key row; empty where there is none."""
        return self._row(digest_of(key)[:2], digest_of(key))

    def named(self, row_key: str) -> str | None:
        """The digest in a name row."""
        return self._row("~names", row_key).get("Digest")

    @property
    def names(self) -> dict[str, str]:
        """The digests of all name rows."""
        return {row["RowKey"]: row["Digest"] for row in self.table.query_entities("PartitionKey eq '~names'")}

    @property
    def sequence(self) -> int:
        """The number of the newest change."""
        changes = self.changes()
        return 0 if changes is None else changes[1]

    @property
    def epoch(self) -> str:
        """The epoch of the change row."""
        changes = self.changes()
        return "" if changes is None else changes[0]

    @property
    def recent(self) -> list[str]:
        """What changed, newest first: the beginnings of digests and `+`."""
        changes = self.changes()
        return [] if changes is None else [entry for _, entry in changes[2]]

    def _row(self, partition: str, row_key: str) -> dict[str, Any]:
        try:
            return dict(self.table.get_entity(partition, row_key))
        except ResourceNotFoundError:
            return {}


BING_KEY = "AbCd-" + "7_ef-Gh" * 8 + "xyz"
"""Looks like a key of Bing, and is none."""


def digest_of(key: str) -> str:
    """The SHA-256 of a key in hex."""
    return sha256(key.encode()).hexdigest()


def mark_of(key: str) -> str:
    """How the change row names a key."""
    return digest_of(key)[:16]
