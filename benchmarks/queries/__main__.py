"""What queries cost through the server, over HTTP and Azurite, beside databases: `python -m benchmarks.queries`.

Prints a line for each figure; writes figures.json into this folder. With `--publish` the table goes into
docs/performance.md. The databases need `apt-get install postgresql-15-postgis-3` and `pip install asyncpg duckdb`; one
that is not there is left out, with a word.
"""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import Figure, page
from benchmarks.published import machine, publish
from benchmarks.queries.first_use import beginning
from benchmarks.queries.latency import timing
from benchmarks.queries.memory import keeping
from benchmarks.queries.polls import beside_queries
from benchmarks.queries.rates import comparing
from benchmarks.queries.shops import Shops
from benchmarks.query_data import write_shops
from benchmarks.servers import proxy
from proxy.demo.azurite import Emulator, start_emulator
from tests.support.storage import Storage

FOLDER = Path(__file__).parent
ROUNDS = 60
LOADS, LOAD_SECONDS = 5, 1.0
RATES, RATE_SECONDS = 5, 1.0


def main() -> int:
    """Measures everything; gives 1 where a goal was missed."""
    found: list[Figure] = []
    with start_emulator() as emulator, TemporaryDirectory() as folder:
        for each in measurements(emulator, Path(folder)):
            print(f"{each.what:74} {each.value:10,.2f} {each.unit:18} {each.goal}", flush=True)
            found.append(each)
    kept = {"machine": machine(), "figures": [asdict(each) for each in found]}
    (FOLDER / "figures.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    if "--publish" in sys.argv:
        publish("figures of queries", page(FOLDER))
    return int(any(each.kept is False for each in found))


def measurements(emulator: Emulator, folder: Path) -> Iterator[Figure]:
    """Each measurement with data sources of its own; the files of all servers are in one folder."""
    started = time.monotonic()
    blob, shapes_blob = folder / "blob.parquet", folder / "shapes.parquet"
    write_shops(blob)
    write_shops(shapes_blob, has_shapes=True)
    with Storage.open(emulator, "queries") as storage:
        shops, shapes = Shops(storage), Shops(storage, "Areas", has_shapes=True)
        shops.publish(blob.read_bytes())
        shapes.publish(shapes_blob.read_bytes())
        with proxy(storage, {"TMPDIR": str(folder)}) as (port, _):
            yield from timing(port, shops, shapes, ROUNDS)
            yield from beside_queries(port, storage.job(), shops, LOADS, LOAD_SECONDS)
        yield from beginning(storage, blob.read_bytes())
        yield from keeping(storage, blob.read_bytes(), folder)
        yield from comparing(storage, folder, RATES, RATE_SECONDS)
    yield Figure("the whole run", time.monotonic() - started, "s")


if __name__ == "__main__":
    sys.exit(main())
