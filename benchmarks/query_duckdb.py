"""DuckDB in this process over the same rows, where its package is installed."""

import importlib
import math
from pathlib import Path
from typing import Any

from proxy.query.distance import EARTH_KM

_NEAR = f"""
select *, {2 * EARTH_KM} * asin(sqrt(power(sin(radians(Latitude - $latitude) / 2), 2) + cos(radians($latitude)) *
  cos(radians(Latitude)) * power(sin(radians(Longitude - $longitude) / 2), 2))) as distance from shops
where Latitude between $latitude - $window and $latitude + $window
  and Longitude between $longitude - $turn and $longitude + $turn and distance <= $kilometres
order by distance, EntityID limit 25
"""  # noqa: S608  only numbers
_FILTER = """
select * from shops where lower(Brand) = 'brand 3' and Open < 900 and starts_with(lower(City), 'city 1')
order by EntityID limit 25
"""


class Rival:
    """A table in memory."""

    def __init__(self, connection: Any, blob: Path | None) -> None:
        """Reads the blob; without one, the connection has the table already."""
        self._connection = connection
        if blob is not None:
            connection.execute("create table shops as select * from read_parquet(?) order by Latitude", [str(blob)])

    def fork(self) -> "Rival":
        """The same table for another thread."""
        return Rival(self._connection.cursor(), None)

    def find_near(self, latitude: float, longitude: float, kilometres: float) -> list[Any]:
        """The 25 nearest."""
        window = math.degrees(kilometres / EARTH_KM)
        turn = math.degrees(math.asin(math.sin(kilometres / EARTH_KM) / math.cos(math.radians(latitude))))
        given = {"latitude": latitude, "longitude": longitude, "kilometres": kilometres, "window": window, "turn": turn}
        found: list[Any] = self._connection.execute(_NEAR, given).fetchall()
        return found

    def filter(self) -> list[Any]:
        """The first 25 for which three conditions hold."""
        found: list[Any] = self._connection.execute(_FILTER).fetchall()
        return found


def open_rival(blob: Path) -> Rival | None:
    """The blob as a table of DuckDB; None where the package is not installed."""
    try:
        duckdb = importlib.import_module("duckdb")
    except ImportError:
        return None
    return Rival(duckdb.connect(), blob)
