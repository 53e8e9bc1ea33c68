"""The same queries of the same rows by databases: one aiohttp handler each, with the members of our JSON.

Run by `python -m benchmarks.queries.rivals PORT postgres|duckdb SOURCE`: the address of a cluster whose table `shops`
is filled, or a Parquet file. Needs asyncpg and duckdb, which are no dependencies of the project: `pip install asyncpg
duckdb`. PostgreSQL searches by its own indexes; DuckDB by a window on the sorted latitude, as it has none for places.
"""

import asyncio
import importlib
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

from adapters.model.ticks import PER_MILLISECOND, UNIX_EPOCH
from benchmarks.query_data import shop_type
from benchmarks.query_duckdb import Rival

NAMES = [each.name for each in shop_type().properties]
BASE = "https://spatial.example.com/REST/v1/data/20181f26d9e94c81acdf9496133d4f23/Shops/Shops"
CONNECTIONS = 8
"""Of the pool of PostgreSQL, and threads of DuckDB; more were no faster."""

Rows = Iterable[Sequence[Any]]

_COLUMNS = ", ".join(f'"{name}"' for name in NAMES)
# The operator `<->` alone reads the index in the order of distance. A test of ST_DWithin beside it, or a second
# criterion, makes PostgreSQL sort all that is within 1000 km: 125 ms.
_NEAR = f"""
select {_COLUMNS} from
  (select *, place <-> ST_MakePoint($2, $1)::geography as distance from shops order by distance limit 25) as nearest
where distance <= $3 order by distance, "EntityID"
"""  # noqa: S608  only names
_FILTER = f"""
select {_COLUMNS} from shops where lower("Brand") = 'brand 3' and "Open" < 900 and lower("City") like 'city 1%'
order by "EntityID" limit 25
"""  # noqa: S608  only names


def render_rows(rows: Rows) -> bytes:
    """Our JSON's members."""
    results = [_render_row(dict(zip(NAMES, row, strict=False))) for row in rows]
    return json.dumps({"d": {"__copyright": "\u00a9 2026", "results": results}}, separators=(",", ":")).encode()


def _render_row(row: dict[str, Any]) -> dict[str, Any]:
    row["Created"] = f"/Date({(row['Created'] - UNIX_EPOCH) // PER_MILLISECOND})/"
    row["Latitude"], row["Longitude"] = round(row["Latitude"], 6), round(row["Longitude"], 6)
    return {"__metadata": {"uri": f"{BASE}('{row['EntityID']}')"}} | row


class Postgres:
    """A pool of connections."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def open(self) -> None:
        """Connects."""
        asyncpg = importlib.import_module("asyncpg")
        self._pool = await asyncpg.create_pool(self._address, min_size=CONNECTIONS, max_size=CONNECTIONS)

    async def find_near(self, latitude: float, longitude: float, kilometres: float) -> Rows:
        """The 25 nearest."""
        found: Rows = await self._pool.fetch(_NEAR, latitude, longitude, kilometres * 1000)
        return found

    async def filter(self) -> Rows:
        """The first 25 for which three conditions hold."""
        found: Rows = await self._pool.fetch(_FILTER)
        return found


class DuckDb:
    """A table in this process, queried in threads."""

    def __init__(self, blob: str) -> None:
        self._blob = Path(blob)
        self._threads = ThreadPoolExecutor(CONNECTIONS)

    async def open(self) -> None:
        """Reads the blob."""
        self._rival = Rival(importlib.import_module("duckdb").connect(), self._blob)

    async def find_near(self, latitude: float, longitude: float, kilometres: float) -> Rows:
        """The 25 nearest."""
        return await self._run(lambda rival: rival.find_near(latitude, longitude, kilometres))

    async def filter(self) -> Rows:
        """The first 25 for which three conditions hold."""
        return await self._run(Rival.filter)

    async def _run(self, work: Callable[[Rival], Rows]) -> Rows:
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: work(self._rival.fork()))


def build_app(database: Postgres | DuckDb) -> web.Application:
    """One handler: `/?kilometres=&latitude=&longitude=`, or without them the filter."""

    async def answer(request: web.Request) -> web.Response:
        given = [
            float(request.query[name]) for name in ("latitude", "longitude", "kilometres") if name in request.query
        ]
        rows: Awaitable[Rows] = database.find_near(*given) if given else database.filter()
        return web.Response(body=render_rows(await rows), content_type="application/json")

    async def open_database(_app: web.Application) -> AsyncIterator[None]:
        await database.open()
        yield

    app = web.Application()
    app.cleanup_ctx.append(open_database)
    app.router.add_get("/", answer)
    return app


DATABASES: dict[str, Callable[[str], Postgres | DuckDb]] = {"postgres": Postgres, "duckdb": DuckDb}


def main(port: int, database: str, source: str) -> None:
    """Serves."""
    uvloop = importlib.import_module("uvloop")
    app = build_app(DATABASES[database](source))
    run = partial(web.run_app, app, host="127.0.0.1", port=port, print=None, access_log=None)
    run(loop=uvloop.new_event_loop())


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
