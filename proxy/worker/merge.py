"""An incremental load: what the entities of a version and those of the load are together."""

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from proxy.formats.schema import EntityType, InvalidDataError
from proxy.formats.schema_validation import DeclaredSchema, entity_type


def merge_entity_types(base: EntityType, load: EntityType) -> EntityType:
    """The properties of both: those of the base in their order, then what the load adds. Letter case is no difference.

    Raises:
        UnusableError: the two don't go together, or break a rule that each of them keeps.
    """
    if load.name.lower() != base.name.lower():
        raise InvalidDataError(f"the data source has entities of type {base.name}, and the load of type {load.name}")
    if load.key.lower() != base.key.lower():
        raise InvalidDataError(f"the primary key of the data source is {base.key}, and that of the load {load.key}")
    types = {property_.name.lower(): property_.type for property_ in base.properties}
    for property_ in load.properties:
        known = types.get(property_.name.lower(), property_.type)
        if known is not property_.type:
            name, type_ = property_.name, property_.type
            raise InvalidDataError(f"the property {name} is of type {known} in the data source and {type_} in the load")
    added = tuple(property_ for property_ in load.properties if property_.name.lower() not in types)
    return entity_type(DeclaredSchema(base.name, base.properties + added, (base.key,)), incremental=True)


def cast_batch(batch: pa.RecordBatch, has: EntityType, gets: EntityType) -> pa.RecordBatch:
    """Entities as a type that has all of their properties and maybe more."""
    columns = []
    for property_, field in zip(gets.properties, gets.arrow(), strict=True):
        place = has.find(property_.name)
        columns.append(pa.nulls(len(batch), field.type) if place is None else batch.column(place))
    return pa.RecordBatch.from_arrays(columns, schema=gets.arrow())


def untouched_rows(base: Iterable[pa.RecordBatch], key: str, touched: pa.Array) -> Iterator[pa.RecordBatch]:
    """The entities of a version that a load neither replaces nor deletes; `touched` holds the ids of the others."""
    for batch in base:
        yield batch.filter(pc.invert(pc.is_in(batch.column(key), value_set=touched)))
