"""What writers of the key store do, by the plain SDK, so that the adapters are not tested by themselves."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any
from uuid import uuid4

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableClient, UpdateMode

from tests.support.storage import int64


class WrittenKeys:
    """A table of keys in the emulator."""

    def __init__(self, table: TableClient) -> None:
        self.table = table
        self.name = table.table_name

    @classmethod
    @contextmanager
    def open(cls, connection_string: str) -> Iterator["WrittenKeys"]:
        """A new table without rows."""
        with TableClient.from_connection_string(connection_string, f"keys{uuid4().hex[:16]}") as table:
            table.create_table()
            yield cls(table)

    def write(self, key: str, **properties: Any) -> str:
        """Writes a key's row and does not announce it; gives its digest."""
        digest = sha256(key.encode()).hexdigest()
        row = {"PartitionKey": digest[:2], "RowKey": digest, "Account": "contoso"} | properties
        self.table.upsert_entity(row, mode=UpdateMode.REPLACE)
        return digest

    def announce(self, *keys: str) -> None:
        """Adds keys, or `+`, to the change row."""
        epoch, sequence, recent = self.changes() or (uuid4().hex, 0, [])
        for key in keys:
            sequence += 1
            recent.insert(0, [sequence, key if key == "+" else sha256(key.encode()).hexdigest()[:16]])
        self.write_changes(epoch, sequence, recent[:800])

    def add(self, key: str, **properties: Any) -> str:
        """Writes a key's row and announces it."""
        digest = self.write(key, **properties)
        self.announce(key)
        return digest

    def changes(self) -> tuple[str, int, list[list[Any]]] | None:
        """The change row: its epoch, sequence and list."""
        try:
            row = self.table.get_entity("~", "changes")
        except ResourceNotFoundError:
            return None
        return row["Epoch"], row["Sequence"].value, json.loads(row["Recent"])

    def write_changes(self, epoch: str, sequence: int, recent: list[list[Any]]) -> None:
        """Writes the change row."""
        row = {"PartitionKey": "~", "RowKey": "changes", "Epoch": epoch, "Sequence": int64(sequence)}
        self.table.upsert_entity(row | {"Recent": json.dumps(recent)}, mode=UpdateMode.REPLACE)
