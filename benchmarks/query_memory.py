"""The memory of a process that queries 25 sources of 200,000 entities in turn and keeps all of them open."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.query_data import shop_type, write_shops
from proxy.query.conversion import convert_blob
from proxy.query.engine import run_query
from proxy.query.request import parse_request
from proxy.query.schema import Schema
from proxy.query.version_file import VersionFile

SOURCES = 25
TURNS = 3
LOOK_SECONDS = 0.005
QUERIES = (
    {"spatialfilter": "nearby(39,-98,1000)", "$top": "250"},
    {"$filter": "Brand eq 'brand 3' and Name ne 'x' and startswith(City,'city 1')", "$orderby": "Address"},
    {"spatialfilter": "bbox(30,-110,40,-90)", "$select": "*,__Distance", "$orderby": "__Distance"},
)


def measure_memory() -> tuple[float, float]:
    """Private megabytes of a new process: when all is queried, with all sources open; and at the peak."""
    with TemporaryDirectory() as folder:
        blob = Path(folder) / "blob.parquet"
        write_shops(blob)
        done = subprocess.run([sys.executable, "-m", __name__, folder], check=True, capture_output=True, text=True)
    private, peak, _ = json.loads(done.stdout)
    return private, peak


def main(folder: Path) -> None:
    """Converts, opens and queries; prints what is private to the process, and the most that it was."""
    seen = [_private_mb()]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(LOOK_SECONDS):
            seen.append(_private_mb())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        versions = _use(folder)
    finally:
        done.set()
        watcher.join()
    print(json.dumps([_private_mb(), max(seen), len(versions)]))


def _use(folder: Path) -> list[VersionFile]:
    schema = Schema.from_json(shop_type().to_json())
    versions = []
    for number in range(SOURCES):
        file = folder / f"{number}.query"
        convert_blob(folder / "blob.parquet", file, str(number), schema)
        versions.append(VersionFile(file, str(number)))
    for _ in range(TURNS):
        for version in versions:
            for parameters in QUERIES:
                run_query(version, parse_request("Shops", parameters).bind(schema), lambda: None)
    return versions


def _private_mb() -> float:
    """Memory that is this process's own; pages of mapped files are the system's, which takes them back."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("RssAnon:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]))
