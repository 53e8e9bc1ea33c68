"""A key store as other tools write it: by the plain SDK, so that the adapters are not tested by themselves."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import EdmType, EntityProperty, TableClient, UpdateMode

from tests.support.fault_proxy import Hop
from tests.support.storage import Storage


def digest_of(key: str) -> str:
    """The digest of a key, as rows have it."""
    return sha256(key.encode()).hexdigest()


@dataclass(frozen=True)
class KeyRows:
    """The table of a key store in the emulator, and the hop between it and the servers."""

    table_name: str
    storage: Storage
    """The storage of the account of keys that name none."""
    table: TableClient
    hop: Hop

    @classmethod
    @contextmanager
    def open(cls, storage: Storage, hop_type: type[Hop] = Hop) -> Iterator["KeyRows"]:
        """Makes the table, empty."""
        name = f"keys{uuid4().hex[:16]}"
        with (
            hop_type.before(storage) as hop,
            TableClient.from_connection_string(storage.connection_string, name) as table,
        ):
            table.create_table()
            yield cls(name, storage, table, hop)

    @property
    def settings(self) -> dict[str, Any]:
        """What `start_server` needs to read the keys from here, and to look for changes every second."""
        return {"key_store": {"connection_string": self.hop.connection_string}} | self.reading

    @property
    def reading(self) -> dict[str, Any]:
        """The same without the ring's part."""
        return {"keys_table": self.table_name, "key_store_seconds": 1}

    def ring(self, **others: Any) -> str:
        """A key ring with this key store and the account, and with these other accounts."""
        account = {"storage": {"connection_string": self.storage.connection_string}}
        accounts = {self.storage.account: account} | others
        return json.dumps({"accounts": accounts, "key_store": self.settings["key_store"]})

    def write(self, key: str, *, is_announced: bool = True, **properties: Any) -> None:
        """Writes a key row in place of the one before, and announces it."""
        digest = digest_of(key)
        row = {
            "PartitionKey": digest[:2],
            "RowKey": digest,
            "Account": self.storage.account,
            "CreatedAt": datetime.now(UTC),
        }
        self.table.upsert_entity(row | properties, mode=UpdateMode.REPLACE)
        if is_announced:
            self.announce(key)

    def revoke(self, key: str, **properties: Any) -> None:
        """Revokes a key."""
        self.write(key, RevokedAt=datetime.now(UTC), **properties)

    def announce(self, *keys: str) -> None:
        """Adds changes to the change row."""
        try:
            row = dict(self.table.get_entity("~", "changes"))
        except ResourceNotFoundError:
            row = {"Epoch": uuid4().hex, "Sequence": EntityProperty(0, EdmType.INT64), "Recent": "[]"}
        sequence, recent = row["Sequence"].value, json.loads(row["Recent"])
        for key in keys:
            sequence += 1
            recent.insert(0, [sequence, digest_of(key)[:16]])
        self.table.upsert_entity(
            {
                "PartitionKey": "~",
                "RowKey": "changes",
                "Epoch": row["Epoch"],
                "Sequence": EntityProperty(sequence, EdmType.INT64),
                "Recent": json.dumps(recent[:800]),
            }
        )

    def reads_of(self, key: str) -> int:
        """How often servers have read a key's row."""
        return self.hop.reads_of(digest_of(key))

    @property
    def key_reads(self) -> int:
        """How often servers have read any key's row."""
        return sum("(PartitionKey=" in each.target and "RowKey='changes'" not in each.target for each in self.hop.asked)
