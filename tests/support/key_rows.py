"""A key store's table as another program sees it: rows by the SDK, without our code."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import uuid4

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableClient, TableEntity, UpdateMode


@dataclass(frozen=True)
class KeyRows:
    """The rows of one table."""

    table: TableClient
    connection_string: str

    @classmethod
    @contextmanager
    def open(cls, connection_string: str) -> Iterator["KeyRows"]:
        """A table of its own name, which is not made yet."""
        name = f"keys{uuid4().hex[:12]}"
        with TableClient.from_connection_string(connection_string, name) as table:
            yield cls(table, connection_string)

    @property
    def name(self) -> str:
        """The table's name."""
        return self.table.table_name

    def make(self) -> "KeyRows":
        """Makes the table."""
        self.table.create_table()
        return self

    def ring(self, *accounts: str, **members: Any) -> str:
        """A key ring whose keys are in this table."""
        storage = {"connection_string": self.connection_string}
        return json.dumps(
            {"accounts": {name: {"storage": storage} for name in accounts}, "key_store": storage, **members}
        )

    def put(self, key: str, account: str = "contoso", **properties: Any) -> None:
        """Writes a key row, and nothing else."""
        digest = digest_of(key)
        entity = {"PartitionKey": digest[:2], "RowKey": digest, "Account": account, **properties}
        self.table.upsert_entity(entity, mode=UpdateMode.REPLACE)

    def put_name(self, row_key: str, digest: str) -> None:
        """Writes a name row."""
        self.table.upsert_entity({"PartitionKey": "~names", "RowKey": row_key, "Digest": digest})

    def get(self, key: str) -> TableEntity | None:
        """A key row."""
        return self._row(digest_of(key)[:2], digest_of(key))

    def named(self, row_key: str) -> str | None:
        """The digest in a name row."""
        row = self._row("~names", row_key)
        return None if row is None else str(row["Digest"])

    @property
    def sequence(self) -> int:
        """The number of the newest change."""
        row = self._row("~", "changes")
        return 0 if row is None else int(row["Sequence"].value)

    @property
    def epoch(self) -> str | None:
        """The epoch of the change row."""
        row = self._row("~", "changes")
        return None if row is None else str(row["Epoch"])

    @property
    def recent(self) -> list[str]:
        """What changed, newest first: the beginnings of digests and `+`."""
        row = self._row("~", "changes")
        return [] if row is None else [entry for _, entry in json.loads(row["Recent"])]

    def _row(self, partition: str, row_key: str) -> TableEntity | None:
        try:
            return self.table.get_entity(partition, row_key)
        except ResourceNotFoundError:
            return None


def digest_of(key: str) -> str:
    """The SHA-256 of a key in hex."""
    return sha256(key.encode()).hexdigest()


def mark_of(key: str) -> str:
    """How the change row names a key."""
    return digest_of(key)[:16]
