"""What a query costs without HTTP and storage: its text parsed, run over 200,000 entities, its answer rendered.

One process, warm, medians over many places. `python -m benchmarks.query [FILE]` prints a table and writes JSON.
Where the package duckdb is installed, its times over the same rows stand beside: it is no dependency of the project.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import count, cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qsl

from adapters.model.ticks import UNIX_EPOCH
from benchmarks.figures import Figure, table
from benchmarks.published import machine
from benchmarks.query_data import shop_type, write_shops
from benchmarks.query_duckdb import open_rival
from benchmarks.query_memory import measure_memory
from proxy.query.answer import Answer
from proxy.query.conversion import convert_blob
from proxy.query.engine import run_query
from proxy.query.render import render
from proxy.query.request import parse_request
from proxy.query.schema import Schema
from proxy.query.version_file import VersionFile

ROUNDS = 60
FIRST_USES = 5
PLACES = [(latitude, longitude) for latitude in (33, 36, 39, 42) for longitude in (-112, -105, -98, -91, -84)]
FILTER = "$filter=Brand eq 'brand 3' and Open lt 900 and startswith(City,'city 1') eq true"
NEAR = "spatialFilter=nearby({place},%s)"
REQUESTS = (
    ("nearby 10 km, 25 in JSON", f"{NEAR % 10}&$format=json", 2),
    ("nearby 100 km, 25 in JSON", f"{NEAR % 100}&$format=json", 2),
    ("nearby 1000 km, 25 in JSON", f"{NEAR % 1000}&$format=json", 6),
    ("nearby 100 km, 250 in JSON", f"{NEAR % 100}&$top=250&$format=json", 8),
    ("nearby 1000 km, 250 in JSON", f"{NEAR % 1000}&$top=250&$format=json", 8),
    ("nearby 1000 km, 250 in Atom", f"{NEAR % 1000}&$top=250", 12),
    ("$filter of three conditions, 25 in JSON", f"{FILTER}&$format=json", 6),
    ("the same within 1000 km", f"{FILTER}&{NEAR % 1000}&$format=json", None),
    ("five ids", "$filter=entityId in ('-1','-20','-300','-4000','-50000')&$format=json", None),
    ("$orderby of three, all rows", "$orderby=City,Brand desc,Open&$format=json", None),
    ("the last page of all, counted", "$inlinecount=allpages&$skip=199975&$format=json", None),
)
"""What is measured, and its goal in milliseconds."""
ANSWER = Answer(
    base="https://spatial.example.com",
    access_id="20181f26d9e94c81acdf9496133d4f23",
    data_source="Shops",
    entity_type="Shops",
    copyright="\u00a9 2026",
    now=UNIX_EPOCH,
    guid="0",
)


def querying(rounds: int = ROUNDS) -> Iterator[Figure]:
    """Yields the figures of queries, with their goals."""
    with TemporaryDirectory() as folder:
        yield from _measure_points(Path(folder), rounds)
        yield from _measure_shapes(Path(folder), rounds)
    private, peak = measure_memory()
    yield Figure("query, 25 sources in turn, private memory", private, "MB", at_most=400)
    yield Figure("query, 25 sources in turn, its peak", peak, "MB", at_most=400)


def _measure_points(folder: Path, rounds: int) -> Iterator[Figure]:
    blob = folder / "points.parquet"
    write_shops(blob)
    source = Source(blob, has_shapes=False)
    yield Figure("query, first use: convert, open, nearby", _median(source.use_first, FIRST_USES), "s", at_most=1.5)
    yield Figure("query, the version's file", source.version.mapped_bytes / 2**20, "MB")

    for what, text, goal in REQUESTS:
        source.answer(text, PLACES[0])
        places = cycle(PLACES)
        seconds = _median(lambda: source.answer(text, next(places)), rounds)  # noqa: B023  used at once
        yield Figure(f"query, {what}", 1000 * seconds, "ms", at_most=goal)
    ids = count(0, 7)
    by_id = _median(lambda: source.answer("$format=json", id_=f"-{next(ids)}"), rounds)
    yield Figure("query, one entity by id", 1000 * by_id, "ms", at_most=1)
    rival = open_rival(blob)
    if rival is not None:
        for kilometres in (10, 100, 1000):
            places = cycle(PLACES)
            seconds = _median(lambda: rival.find_near(*next(places), kilometres), rounds // 2)  # noqa: B023  used at once
            yield Figure(f"DuckDB, nearby {kilometres} km, 25 rows, not rendered", 1000 * seconds, "ms")
        yield Figure("DuckDB, the same $filter, 25 rows, not rendered", 1000 * _median(rival.filter, rounds // 2), "ms")


def _measure_shapes(folder: Path, rounds: int) -> Iterator[Figure]:
    blob = folder / "shapes.parquet"
    write_shops(blob, has_shapes=True)
    source = Source(blob, has_shapes=True)
    yield Figure("query, first use with polygons", _median(source.use_first, FIRST_USES), "s")
    box = "POLYGON ((-102 36,-94 36,-94 42,-102 42,-102 36))"
    turned = "POLYGON ((-98 35,-94 39,-98 43,-102 39,-98 35))"
    shapes = {"a point": ("POINT (-98 39)", 3), "a box of 8 x 6 degrees": (box, 25), "a turned square": (turned, 25)}
    for what, (shape, goal) in shapes.items():
        text = f"spatialFilter=intersects('{shape}')&$inlinecount=allpages&$format=json"
        seconds = _median(lambda: source.answer(text), rounds)  # noqa: B023  used at once
        yield Figure(f"query, intersects {what}", 1000 * seconds, "ms", at_most=goal)
    cut = f"$select=EntityID,intersection('{turned}')&spatialFilter=intersects('{turned}')&$top=250&$format=json"
    yield Figure("query, 250 intersections", 1000 * _median(lambda: source.answer(cut), rounds // 4), "ms")


class Source:
    """A version that is converted and open."""

    def __init__(self, blob: Path, *, has_shapes: bool) -> None:
        self._blob, self._file = blob, blob.with_suffix(".query")
        self._schema = Schema.from_json(shop_type(has_shapes=has_shapes).to_json())
        self._convert()

    def _convert(self) -> None:
        self._file.unlink(missing_ok=True)
        convert_blob(self._blob, self._file, "Shops", self._schema)
        self.version = VersionFile(self._file, "Shops")

    def use_first(self) -> None:
        """What the first query after a publish does when the blob is fetched."""
        self._convert()
        self.answer("spatialFilter=nearby({place},100)&$format=json", PLACES[0])

    def answer(self, text: str, place: tuple[float, float] = (0, 0), id_: str = "") -> bytes:
        """The body for a query string."""
        text = text.replace("{place}", f"{place[0]},{place[1]}")
        parameters = {name.lower(): value for name, value in parse_qsl(text)}
        request = parse_request(f"Shops('{id_}')" if id_ else "Shops", parameters)
        return render(run_query(self.version, request.bind(self._schema), lambda: None), ANSWER, request.form)


def _median(work: Callable[[], object], rounds: int) -> float:
    """Seconds."""
    seconds = []
    for _ in range(max(3, rounds)):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def main() -> None:
    """Prints the figures, and writes them to the file that is named."""
    found = list(querying())
    print(f"{machine()}:\n\n{table(found)}")
    for name in sys.argv[1:2]:
        kept = {"machine": machine(), "figures": [asdict(each) for each in found]}
        Path(name).write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
