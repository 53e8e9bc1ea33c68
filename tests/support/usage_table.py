"""The table `usage` of an account, by the plain SDK."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.data.tables import TableClient, TableEntity

from tests.support.storage import Storage, date


def usage_table(storage: Storage) -> TableClient:
    """The table, which may not be there."""
    return TableClient.from_connection_string(storage.connection_string, "usage")


def usage_rows(storage: Storage) -> list[TableEntity]:
    """The rows of the account, in the order of their keys."""
    bounds = {"first": f"{storage.account}:", "end": f"{storage.account};"}
    with usage_table(storage) as table, suppress(ResourceNotFoundError):
        return list(table.query_entities("PartitionKey ge @first and PartitionKey lt @end", parameters=bounds))
    return []


def write_usage_row(
    storage: Storage, partition: str, row_key: str, operations: Mapping[str, list[int]] | None = None, **more: Any
) -> None:
    """Writes a row as `serve` and `worker` do; `partition` is the part behind the account."""
    times = {"First": date("2026-01-01T10:00:00Z"), "Last": date("2026-01-01T10:30:00Z")}
    keys = {"PartitionKey": f"{storage.account}:{partition}", "RowKey": row_key}
    counts = {"Operations": json.dumps(operations or {"job_list": [1, 0, 0, 0]})}
    with usage_table(storage) as table:
        with suppress(ResourceExistsError):
            table.create_table()
        table.upsert_entity(keys | times | counts | more)
