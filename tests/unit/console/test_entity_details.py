"""One entity as its page has it."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from proxy.console.entity_details import read_entity
from proxy.operations.entity_tables import EntityTable


class _OneEntity:
    """Queries that find one entity."""

    def __init__(self, row: Sequence[str | None]) -> None:
        self._row = row

    async def use(self, *_: object) -> EntityTable:
        return EntityTable(("Latitude", "Longitude"), ("a",), (self._row,))


@pytest.mark.parametrize(
    ("row", "place"),
    [
        (("52.500000", "-180.000000"), (52.5, -180)),
        (("0.000000", "0.000000"), (0, 0)),
        ((None, "1.0"), None),
        (("nan", "1.0"), None),
        (("1.0", "nan"), None),
        (("1.0", "inf"), None),
        (("91.0", "1.0"), None),
    ],
)
def test_a_place_is_one_that_maps_have(row: Sequence[str | None], place: tuple[float, float] | None) -> None:
    queries: Any = _OneEntity(row)
    found = asyncio.run(read_entity(queries, queries, "a"))
    assert found is not None
    assert found.place == place
