"""The table operations that write job rows together with their aliases."""

from collections.abc import Mapping, Sequence
from typing import Any

from azure.core import MatchConditions
from azure.data.tables import UpdateMode

from adapters.model.jobs import JobRecord
from adapters.tables.job_rows import write_job
from adapters.tables.row_keys import Alias, download_alias, legacy_alias

Operation = tuple[str, dict[str, Any], dict[str, Any]]
"""An operation, its entity and its options, as the tables SDK expects them."""

LAST_CREATION = "~creation"
"""The row that each creation of a job changes, so that of two that check the limits at once only one is written."""

# A record has at most three rows, and a transaction of Table Storage at most 100.
MAX_RECORDS = 33


def upsert_operations(account: str, records: Sequence[JobRecord], aliases: Mapping[str, Alias]) -> list[Operation]:
    """The operations of one transaction.

    `aliases` holds the existing download aliases by key. An alias only moves to a newer job, and only if no other
    writer has moved it since it was read.
    """
    batch: list[Operation] = []
    newest: dict[str, str] = {}
    for record in records:
        batch.append(("upsert", write_job(account, record), {"mode": UpdateMode.REPLACE}))
        if record.legacy_id:
            alias = _alias_row(account, legacy_alias(record.legacy_id), record.row_key)
            batch.append(("upsert", alias, {"mode": UpdateMode.REPLACE}))
        if record.is_named_download():
            key = download_alias(record.data_source_name)
            newest[key] = max(newest.get(key, ""), record.row_key)
    for key, row_key in newest.items():
        row, known = _alias_row(account, key, row_key), aliases.get(key)
        if known is None:
            batch.append(("create", row, {}))
        elif not isinstance(known.job_id, str) or known.job_id < row_key:
            condition = {"etag": known.etag, "match_condition": MatchConditions.IfNotModified}
            batch.append(("update", row, {"mode": UpdateMode.REPLACE, **condition}))
    return batch


def create_operations(account: str, record: JobRecord, work: str, aliases: Mapping[str, Alias]) -> list[Operation]:
    """The operations that create one job with its work text; `aliases` as for `upsert_operations`."""
    upsert, *rest = upsert_operations(account, [record], aliases)
    return [("create", upsert[1] | {"Work": work}, {}), *rest]


def advance_last_creation(account: str, job_id: str, after: str) -> Operation:
    """Makes a job the last one created, if no other was since this ETag; an empty ETag: if there was none before."""
    row = _alias_row(account, LAST_CREATION, job_id)
    if not after:
        return "create", row, {}
    return "update", row, {"mode": UpdateMode.REPLACE, "etag": after, "match_condition": MatchConditions.IfNotModified}


def _alias_row(account: str, key: str, job_id: str) -> dict[str, Any]:
    return {"PartitionKey": account, "RowKey": key, "JobId": job_id}
