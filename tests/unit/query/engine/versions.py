"""Small versions: entities as dictionaries, written as a load does, converted and opened."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from proxy.formats.parquet import EntityWriter
from proxy.formats.schema import EntityType
from proxy.query.conversion import convert_blob
from proxy.query.schema import Schema
from proxy.query.version_file import VersionFile

Row = dict[str, Any]

ENTITY_TYPE = EntityType.from_json(
    '{"name":"Places","key":"Id","properties":{"Id":"String","Name":"String","Note":"String","Size":"Int64",'
    '"Other":"Int64","Rate":"Double","IsOpen":"Boolean","Seen":"DateTime","Shape":"Geography","latitude":"Double",'
    '"Longitude":"Double"}}'
)
SCHEMA = Schema.from_json(ENTITY_TYPE.to_json())
PLAIN_TYPE = EntityType(
    "Plain", tuple(each for each in ENTITY_TYPE.properties if each.name != "Shape"), ENTITY_TYPE.key
)
"""Without a geography."""
SOURCE = "data/places.parquet"


def write_blob(folder: Path, rows: Sequence[Row], entity_type: EntityType = ENTITY_TYPE) -> Path:
    """A version's Parquet blob; what a row leaves out is missing, a location is 0."""
    blob = folder / "blob.parquet"
    at_zero = {"latitude": 0.0, "Longitude": 0.0}
    schema, geography = entity_type.arrow(), entity_type.geography()
    with EntityWriter(blob, schema, None if geography is None else entity_type.properties[geography].name) as writer:
        writer.write(pa.RecordBatch.from_pylist([at_zero | row for row in rows], schema))
    return blob


def make_version(folder: Path, rows: Sequence[Row], entity_type: EntityType = ENTITY_TYPE) -> VersionFile:
    """An open version."""
    file = folder / "version.arrow"
    convert_blob(write_blob(folder, rows, entity_type), file, SOURCE, Schema.from_json(entity_type.to_json()))
    return VersionFile(file, SOURCE)


def proceed() -> None:
    """No deadline."""
