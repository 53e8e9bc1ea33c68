"""Data source rows: JSON entities to records and back.

| property | type | |
|---|---|---|
| `PartitionKey`, `RowKey` | | the account's name in the key ring; the data source's name in lower case |
| `Name`, `AccessId` | string | the name as first written; the id in its URLs |
| `Created` | DateTime | UTC, 100 ns ticks |
| `IsPublic` | Boolean | |
| `MasterKey`, `QueryKey` | string | `sha256:` and hex digits, optional |
| `Published`, `Earlier1`, `Earlier2`, `Staged` | string | a version as JSON, optional; `Earlier1` is newer |
| `PublishedSchema`, `Earlier1Schema`, ... | string | the text of that version's schema, too long for its JSON |
| `StagedUntil` | DateTime | when the staged version ends, optional |
| `Applied` | string | ids of the newest jobs whose effect is in this row, separated by blanks |
| `Deleting` | string | id of the delete job under way, optional |
| `Reserved` | Boolean | true: a data source that is being created; readers skip it |

A version's JSON: `{"job": id, "blob": "container/path", "entityType": name, "entities": count, "updated": "2026-..Z"}`.

A string holds 32,768 characters and a row 1 MiB, so schemas of up to 32,000 characters fit four times.
"""

import json
from typing import Any

from azure.data.tables import EdmType, EntityProperty

from adapters.model.data_sources import DataSource, DataSourceVersion
from adapters.model.job_ids import is_row_id
from adapters.model.jobs import BlobPath
from adapters.model.ticks import Ticks, format_ticks, parse_ticks
from adapters.tables.properties import MalformedRowError, Row, WarnRow, read_date, read_flag, read_text, require

# Job ids in a row: more than can run at once, so that a repeated job finds its own id.
MAX_APPLIED = 20

_EARLIER = ("Earlier1", "Earlier2")


def read_data_source(row: Row, warn: WarnRow) -> DataSource:
    """The data source that a row holds.

    Raises:
        MalformedRowError: a required property is missing or of a wrong type, or a version can't be read. Skipping the
            version would lose it with the next change.
    """
    earlier = [_version(row, name, warn) for name in _EARLIER]
    return DataSource(
        name=require(read_text(row, "Name", warn), "Name"),
        access_id=require(read_text(row, "AccessId", warn), "AccessId"),
        created=require(read_date(row, "Created", warn), "Created"),
        is_public=read_flag(row, "IsPublic", warn),
        master_key=read_text(row, "MasterKey", warn),
        query_key=read_text(row, "QueryKey", warn),
        published=_version(row, "Published", warn),
        earlier=tuple(version for version in earlier if version is not None),
        staged=_version(row, "Staged", warn),
        staged_until=read_date(row, "StagedUntil", warn),
        applied=tuple((read_text(row, "Applied", warn) or "").split()),
        deleting=read_text(row, "Deleting", warn),
    )


def write_data_source(account: str, row_key: str, record: DataSource) -> dict[str, Any]:
    """The entity of a data source for the tables SDK, without properties that have no value."""
    newest = set(sorted(record.applied)[-MAX_APPLIED:])  # ids sort by their jobs' creation
    row: dict[str, Any] = {
        "PartitionKey": account,
        "RowKey": row_key,
        "Name": record.name,
        "AccessId": record.access_id,
        "Created": _date(record.created),
        "IsPublic": record.is_public,
        "MasterKey": record.master_key,
        "QueryKey": record.query_key,
        "StagedUntil": None if record.staged_until is None else _date(record.staged_until),
        "Applied": " ".join(job_id for job_id in record.applied if job_id in newest),
        "Deleting": record.deleting,
    }
    versions = {"Published": record.published, "Staged": record.staged}
    versions |= dict(zip(_EARLIER, record.earlier, strict=False))
    for name, version in versions.items():
        if version is not None:
            row |= {name: _version_text(version), f"{name}Schema": version.schema}
    return {name: value for name, value in row.items() if value is not None}


def _version_text(version: DataSourceVersion) -> str:
    members = {
        "job": version.job_id,
        "blob": str(version.blob),
        "entityType": version.entity_type,
        "entities": version.entities,
        "updated": format_ticks(version.updated),
    }
    return json.dumps(members, separators=(",", ":"))


def _version(row: Row, name: str, warn: WarnRow) -> DataSourceVersion | None:
    if row.get(name) is None:
        return None
    text = require(read_text(row, name, warn), name)
    schema = require(read_text(row, f"{name}Schema", warn), f"{name}Schema")
    try:
        members = json.loads(text)
        job_id, blob, entity_type = members["job"], BlobPath.parse(members["blob"]), members["entityType"]
        entities, updated = members["entities"], parse_ticks(members["updated"])
        # A bool is an int to Python.
        sound = is_row_id(job_id) and isinstance(entity_type, str) and type(entities) is int and entities >= 0
    except (ValueError, TypeError, KeyError, RecursionError):
        raise MalformedRowError(f"{name} is not a version") from None
    if blob is None or not sound:
        raise MalformedRowError(f"{name} is not a version")
    return DataSourceVersion(
        job_id=job_id, blob=blob, entity_type=entity_type, schema=schema, entities=entities, updated=updated
    )


def _date(ticks: Ticks) -> EntityProperty:
    return EntityProperty(format_ticks(ticks), EdmType.DATETIME)
