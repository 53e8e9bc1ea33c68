"""Requests a second of nearby and of a filter, beside databases over the same rows, all in turn in one run."""

import json
import os
import re
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from benchmarks.apps import STATIC_ROW
from benchmarks.figures import Figure
from benchmarks.polling import measured, ratios
from benchmarks.queries.client import Client
from benchmarks.queries.postgres import missing, start_postgres
from benchmarks.queries.shops import PLACES, Shops
from benchmarks.reading import row_url
from benchmarks.servers import get, proxy, running, stand_in, wait_until_answered
from tests.support.processes import free_port, settings_of
from tests.support.storage import Storage

CONNECTIONS = 16
RADII = (10, 100, 1000)
ROW_APART = "ours, its row from a stand-in"
"""The emulator takes part of the processors for the row that each query needs; this shows how much."""


def comparing(storage: Storage, folder: Path, rounds: int, seconds: float) -> Iterator[Figure]:
    """Yields the rates of each server, and ours as a ratio to each database's."""
    shops, blob = Shops(storage, "Rates"), folder / "blob.parquet"
    shops.publish(blob.read_bytes())
    with ExitStack() as stack:
        port, _ = stack.enter_context(proxy(storage, {"TMPDIR": str(folder)}))
        ports = {"ours": port, ROW_APART: stack.enter_context(with_static_row(shops, folder))}
        if reason := missing():
            print(f"PostgreSQL is left out: {reason}", file=sys.stderr)
        else:
            ports["PostGIS"] = stack.enter_context(rival("postgres", stack.enter_context(start_postgres(blob))))
        if find_spec("duckdb") is None:
            print("DuckDB is left out: pip install duckdb", file=sys.stderr)
        else:
            ports["DuckDB"] = stack.enter_context(rival("duckdb", str(blob)))
        for name in (each for each in ports if each.startswith("ours")):
            Client(ports[name]).wait(shops.nearby(10)[0])
        kinds = {f"nearby {each} km": (shops.nearby(each), _nearby(each)) for each in RADII}
        kinds["$filter"] = (list(shops.filtered), ["/"])
        for ours, theirs in kinds.values():
            _ensure_same({port: ours[0] if name.startswith("ours") else theirs[0] for name, port in ports.items()})
        for what, (ours, theirs) in kinds.items():
            runs = {name: (port, ours if name.startswith("ours") else theirs) for name, port in ports.items()}
            yield from _measure(what, runs, rounds, seconds)


def _measure(what: str, runs: dict[str, tuple[int, list[str]]], rounds: int, seconds: float) -> Iterator[Figure]:
    outcomes = measured(runs, rounds, seconds, CONNECTIONS)
    for name, each in outcomes.items():
        yield Figure(f"{name}: {what}", median(one.rate for one in each), "requests/s")
    for name in runs:
        if not name.startswith("ours"):
            ahead = ratios(outcomes, "rate", name)["ours"]
            yield Figure(f"{what}, beside {name}", ahead, "of its rate", at_least=1)


@contextmanager
def with_static_row(shops: Shops, folder: Path) -> Iterator[int]:
    """Runs our server with a table that is one data source's row; yields its port."""
    storage = shops.storage
    url = row_url(storage, "datasources").replace("{}", shops.name.lower())
    request = urllib.request.Request(url, headers={"Accept": "application/json;odata=minimalmetadata"})  # noqa: S310  http
    with urllib.request.urlopen(request) as answer:  # noqa: S310  the same
        row = answer.read().decode()
    with stand_in("row", {STATIC_ROW: row}) as table:
        address = re.sub(
            r"TableEndpoint=[^;]+", f"TableEndpoint=http://127.0.0.1:{table}/row", storage.connection_string
        )
        keyring = settings_of(storage, address)["keyring"]
        with proxy(storage, {"TMPDIR": str(folder)}, keyring=keyring) as (port, _):
            yield port


@contextmanager
def rival(database: str, source: str) -> Iterator[int]:
    """Runs the handler of a database; yields its port."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.queries.rivals", str(port), database, source]
    with running(command, dict(os.environ)):
        wait_until_answered(port, "/")
        yield port


def _nearby(kilometres: int) -> list[str]:
    return [f"/?latitude={latitude}&longitude={longitude}&kilometres={kilometres}" for latitude, longitude in PLACES]


def _ensure_same(targets: dict[int, str]) -> None:
    """All answer the same entities in the same order, with the same members."""
    found = [json.loads(get(port, target)[1])["d"]["results"] for port, target in targets.items()]
    seen = [[(each["EntityID"], list(each)) for each in rows] for rows in found]
    if any(each != seen[0] for each in seen):
        raise RuntimeError(f"different answers to {list(targets.values())}")
