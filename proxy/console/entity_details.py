"""One entity with all its properties, cut to what a page has room for."""

from dataclasses import dataclass

from proxy.console.cut_texts import cut
from proxy.operations.entity_queries import EntityQueries, OpenedVersion
from proxy.operations.entity_tables import find_entity
from proxy.operations.map_viewports import HALF_TURN, QUARTER_TURN
from proxy.query.schema import LATITUDE, LONGITUDE

TABLE_BYTES = 100_000
"""Of the values of a page, as HTML."""
_VALUE_BYTES = 4_000
_NAME_BYTES = 400


@dataclass(frozen=True, slots=True)
class EntityDetail:
    """An entity.

    Args:
        id: its key.
        properties: names and values; None where one is missing.
        place: latitude and longitude; None where one is missing, or no map has it.
    """

    id: str
    properties: tuple[tuple[str, str | None], ...]
    place: tuple[float, float] | None


async def read_entity(queries: EntityQueries, opened: OpenedVersion, id_: str) -> EntityDetail | None:
    """The entity with this id; None where there is none.

    Raises:
        OperationError: the version can't be read.
    """
    found = await queries.use(opened, find_entity(opened, id_))
    if not found.rows:
        return None
    most = min(_VALUE_BYTES, TABLE_BYTES // len(found.columns))
    (row,) = found.rows
    values = {name.lower(): value for name, value in zip(found.columns, row, strict=True)}
    latitude, longitude = values.get(LATITUDE.lower()), values.get(LONGITUDE.lower())
    return EntityDetail(
        cut(found.ids[0], _NAME_BYTES),
        tuple((cut(name, _NAME_BYTES), cut_value(value, most)) for name, value in zip(found.columns, row, strict=True)),
        _read_place(latitude, longitude),
    )


def _read_place(latitude: str | None, longitude: str | None) -> tuple[float, float] | None:
    """A place that maps have. Versions of others may hold any numbers."""
    place = float(latitude or "nan"), float(longitude or "nan")
    return place if abs(place[0]) <= QUARTER_TURN and abs(place[1]) <= HALF_TURN else None


def cut_value(value: str | None, most: int) -> str | None:
    """A value as `cut` does it; None stays None."""
    return None if value is None else cut(value, most)
