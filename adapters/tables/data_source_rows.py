"""Data source rows: JSON entities to records and back.

| property | type | |
|---|---|---|
| `PartitionKey`, `RowKey` | | the account's name in the key ring; the data source's name in lower case |
| `Name`, `AccessId` | string | the name as it was first written; the id in its URLs |
| `Created` | DateTime | UTC, 100 ns ticks |
| `IsPublic` | Boolean | |
| `MasterKey`, `QueryKey` | string | `sha256:` and hex digits, optional |
| `Published`, `Earlier1`, `Earlier2`, `Staged` | string | a version as JSON, optional; `Earlier1` is the newer one |
| `PublishedSchema`, `Earlier1Schema`, ... | string | the text of that version's schema, too long to stand in its JSON |
| `StagedUntil` | DateTime | when the staged version ends, optional |
| `Applied` | string | ids of the newest jobs whose effect is in this row, with blanks between |
| `Deleting` | string | id of the delete job under way, optional |
| `Reserved` | Boolean | true: no data source yet, but one that is being made in this moment; readers pass it over |

A version's JSON: `{"job": id, "blob": "container/path", "entityType": name, "entities": count, "updated": "2026-..Z"}`.

A string holds 32,768 characters and a row 1 MiB, so schemas of up to 32,000 characters fit four times.
"""

import json
from typing import Any

from azure.data.tables import EdmType, EntityProperty

from adapters.model.data_sources import DataSource, DataSourceVersion
from adapters.model.job_ids import is_row_id
from adapters.model.jobs import BlobPath
from adapters.model.ticks import Ticks, parse, to_text
from adapters.tables.properties import MalformedRowError, Row, WarnRow, date_of, flag_of, required, text_of

# Jobs remembered in a row: more than can be under way at once, so that a job done again finds itself there.
APPLIED_KEPT = 20

_EARLIER = ("Earlier1", "Earlier2")


def read_data_source(row: Row, remark: WarnRow) -> DataSource:
    """The data source that a row holds.

    Raises:
        MalformedRowError: a required property is missing or of a wrong type, or a version can't be read: who took it
            for none would lose it with the next change.
    """
    earlier = [_version(row, name, remark) for name in _EARLIER]
    return DataSource(
        name=required(text_of(row, "Name", remark), "Name"),
        access_id=required(text_of(row, "AccessId", remark), "AccessId"),
        created=required(date_of(row, "Created", remark), "Created"),
        is_public=flag_of(row, "IsPublic", remark),
        master_key=text_of(row, "MasterKey", remark),
        query_key=text_of(row, "QueryKey", remark),
        published=_version(row, "Published", remark),
        earlier=tuple(version for version in earlier if version is not None),
        staged=_version(row, "Staged", remark),
        staged_until=date_of(row, "StagedUntil", remark),
        applied=tuple((text_of(row, "Applied", remark) or "").split()),
        deleting=text_of(row, "Deleting", remark),
    )


def write_data_source(account: str, row_key: str, record: DataSource) -> dict[str, Any]:
    """The entity of a data source, as the tables SDK takes it; what has no value is left out."""
    newest = set(sorted(record.applied)[-APPLIED_KEPT:])  # ids sort by their jobs' creation
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
        "updated": to_text(version.updated),
    }
    return json.dumps(members, separators=(",", ":"))


def _version(row: Row, name: str, remark: WarnRow) -> DataSourceVersion | None:
    if row.get(name) is None:
        return None
    text = required(text_of(row, name, remark), name)
    schema = required(text_of(row, f"{name}Schema", remark), f"{name}Schema")
    try:
        members = json.loads(text)
        job_id, blob, entity_type = members["job"], BlobPath.parse(members["blob"]), members["entityType"]
        entities, updated = members["entities"], parse(members["updated"])
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
    return EntityProperty(to_text(ticks), EdmType.DATETIME)
