"""An incremental load: the entities of a version together with those of the load."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from proxy.formats.limits import LoadLimits
from proxy.formats.parquet import read_entities, value_bytes
from proxy.formats.schema import EntityType, InvalidDataError
from proxy.formats.schema_validation import DeclaredSchema, build_entity_type

MEGABYTE = 1024 * 1024


def merge_entity_types(base: EntityType, load: EntityType) -> EntityType:
    """The properties of the base in their order, then those that the load adds. Letter case makes no difference.

    Raises:
        InvalidDataError: the types don't match, or the merged one breaks a rule that each of them keeps.
    """
    if load.name.lower() != base.name.lower():
        raise InvalidDataError(f"the data source has entities of type {base.name}, and the load of type {load.name}")
    if load.key.lower() != base.key.lower():
        raise InvalidDataError(f"the primary key of the data source is {base.key}, and that of the load {load.key}")
    types = {property_.name.lower(): property_.type for property_ in base.properties}
    for property_ in load.properties:
        name, type_ = property_.name, property_.type
        known = types.get(name.lower(), type_)
        if known is not type_:
            raise InvalidDataError(f"the property {name} is of type {known} in the data source and {type_} in the load")
    added = tuple(property_ for property_ in load.properties if property_.name.lower() not in types)
    return build_entity_type(DeclaredSchema(base.name, base.properties + added, (base.key,)), incremental=True)


def merge_entities(
    base: tuple[Path, EntityType], load: tuple[Path, EntityType], replaced: pa.Array, limits: LoadLimits
) -> Iterator[pa.RecordBatch]:
    """The entities of the base that stay, then those of the load, all in the merged entity type.

    Args:
        base: the file and the entity type of the version that the load updates.
        load: the same of the entities that the load brings.
        replaced: the ids that the load replaces or deletes.
        limits: limits of the result. One that is no larger than the base is always allowed: the limits may have been
            higher when the base was loaded.

    Raises:
        InvalidDataError: the result has too many entities, or too many bytes.
    """
    merged = merge_entity_types(base[1], load[1])
    too_many = f"with this load the data source would have more than {limits.entities} entities"
    most = limits.unpacked_bytes // MEGABYTE
    too_large = f"with this load the data source would hold more than PROXY_MAX_UPLOAD_MB, {most} MB"
    entities = size = base_size = 0
    for file, type_ in (base, load):
        for batch in read_entities(file):
            rows = batch
            if file == base[0]:
                base_size += value_bytes(batch)
                rows = batch.filter(pc.invert(pc.is_in(batch.column(type_.key), value_set=replaced)))
            result = _cast(rows, type_, merged)
            entities += len(result)
            size += value_bytes(result)
            if entities > limits.entities:
                raise InvalidDataError(too_many)
            # The base comes first, so `base_size` is final before the load adds to `size`.
            if size > max(limits.unpacked_bytes, base_size):
                raise InvalidDataError(too_large)
            yield result


def _cast(batch: pa.RecordBatch, has: EntityType, merged: EntityType) -> pa.RecordBatch:
    """The entities in the merged type, with nulls for the properties that their own type lacks."""
    columns = []
    for property_, field in zip(merged.properties, merged.arrow(), strict=True):
        index = has.find(property_.name)
        columns.append(pa.nulls(len(batch), field.type) if index is None else batch.column(index))
    return pa.RecordBatch.from_arrays(columns, schema=merged.arrow())
