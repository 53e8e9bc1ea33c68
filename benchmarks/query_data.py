"""A version of 200,000 entities of 20 properties, 12 of them strings, the same in each run; with polygons if asked."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from proxy.formats.parquet import EntityWriter
from proxy.formats.schema import EdmType, EntityType, Property

ENTITIES = 200_000
CORNERS = 20
TEXTS = {"Name": 40_000, "Address": 200_000, "City": 4_000, "State": 50, "Zip": 30_000, "Country": 1, "Phone": 200_000}
MORE_TEXTS = {"Manager": 5_000, "Brand": 12, "StoreType": 5, "Hours": 30}
"""Strings by the number of their values."""


def shop_type(*, has_shapes: bool = False) -> EntityType:
    """Twenty properties, and a geography."""
    texts = (Property(name, EdmType.STRING) for name in ("EntityID", *TEXTS, *MORE_TEXTS))
    rest = {"Latitude": "Double", "Longitude": "Double", "Open": "Int64", "Close": "Int64", "Seats": "Int64"}
    rest |= {"IsWiFiHotSpot": "Boolean", "AcceptsCards": "Boolean", "Created": "DateTime"}
    rest |= {"Boundary": "Geography"} if has_shapes else {}
    typed = (Property(name, EdmType(f"Edm.{type_}")) for name, type_ in rest.items())
    return EntityType("Shops", (*texts, *typed), "EntityID")


def make_shops(*, has_shapes: bool = False, entities: int = ENTITIES) -> pa.RecordBatch:
    """The entities, all over the United States."""
    dice = np.random.default_rng(1)
    latitudes, longitudes = dice.uniform(25, 49, entities), dice.uniform(-125, -70, entities)
    columns: dict[str, Any] = {"EntityID": [f"-{number}" for number in dice.permutation(entities)]}
    for name, values in (TEXTS | MORE_TEXTS).items():
        columns[name] = [f"{name} {number}" for number in dice.integers(0, values, entities)]
    columns |= {"Latitude": latitudes, "Longitude": longitudes}
    columns |= {name: dice.integers(0, 2400, entities) for name in ("Open", "Close", "Seats")}
    columns |= {name: dice.integers(0, 2, entities) == 1 for name in ("IsWiFiHotSpot", "AcceptsCards")}
    columns["Created"] = dice.integers(6 * 10**17, 64 * 10**16, entities)
    if has_shapes:
        columns["Boundary"] = _make_polygons(latitudes, longitudes, dice)
    schema = shop_type(has_shapes=has_shapes).arrow()
    return pa.record_batch(
        [pa.array(columns[name], type_) for name, type_ in zip(schema.names, schema.types, strict=True)], schema=schema
    )


def write_shops(blob: Path, *, has_shapes: bool = False) -> None:
    """The version's Parquet blob."""
    entity_type = shop_type(has_shapes=has_shapes)
    with EntityWriter(blob, entity_type.arrow(), "Boundary" if has_shapes else None) as writer:
        batch = make_shops(has_shapes=has_shapes)
        for start in range(0, batch.num_rows, 10_000):
            writer.write(batch.slice(start, 10_000))


def _make_polygons(latitudes: Any, longitudes: Any, dice: np.random.Generator) -> Any:
    """Stars of 21 points, the last the first again, some kilometres wide."""
    turns = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    reach = dice.uniform(0.01, 0.05, (len(latitudes), CORNERS))
    points = np.stack(
        [longitudes[:, None] + reach * np.cos(turns), latitudes[:, None] + reach * np.sin(turns)], axis=-1
    )
    return shapely.to_wkb(shapely.polygons(points), flavor="iso")
