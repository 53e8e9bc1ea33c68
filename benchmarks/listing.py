"""What a job list costs, beside a raw fetch of the same rows, with and without a long history behind them."""

import http.client
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from statistics import median
from urllib.parse import quote, urlsplit

from adapters.model.job_ids import first_id_at
from adapters.model.ticks import from_datetime
from adapters.tables.reader import KeyRange
from benchmarks.figures import Figure
from benchmarks.reading import row_url
from benchmarks.rows import write_jobs
from benchmarks.servers import OK, proxy
from tests.support.live import MASTER
from tests.support.storage import Storage

JOBS = 750
WINDOW_DAYS = 15
LIST = f"/REST/v1/Dataflows/ListJobs?key={MASTER}"


def listing(fresh: Storage, old: Storage, history: int, rounds: int) -> Iterator[Figure]:
    """Milliseconds of one list, and ratios; `old` gets so many rows that are older than the window."""
    for storage in (fresh, old):
        write_jobs(storage, JOBS, newest_hours=1, apart_hours=0.4)
    write_jobs(old, history, newest_hours=24 * (WINDOW_DAYS + 1), apart_hours=0.01)
    forgetful = {"pending_ttl": 0, "finished_ttl": 0}
    with (
        proxy(fresh, None, **forgetful) as (fresh_port, _),
        proxy(old, None, **forgetful) as (old_port, _),
        proxy(old, pending_ttl=60) as (remembering, _),
    ):
        times = _times(
            {
                "raw, fresh": _raw(fresh),
                "raw, old": _raw(old),
                "proxy, fresh": _asking(fresh_port, LIST),
                "proxy, old": _asking(old_port, LIST),
                "remembered": _asking(remembering, LIST),
            },
            rounds,
        )
    yield Figure(f"list of {JOBS} jobs, {history:,} older", times["proxy, old"], "ms")
    yield Figure("raw fetch of the same range", times["raw, old"], "ms")
    yield Figure("list against the raw fetch", times["proxy, old"] / times["raw, old"], "of its time", at_most=2)
    yield Figure("the same without older rows", times["proxy, fresh"] / times["raw, fresh"], "of its time", at_most=2)
    by_history = times["proxy, old"] / times["proxy, fresh"] / (times["raw, old"] / times["raw, fresh"])
    yield Figure("raw fetch with older rows", times["raw, old"] / times["raw, fresh"], "of without")
    yield Figure("list with older rows, the fetch's own loss taken out", by_history, "of without", at_most=1.1)
    yield Figure("list when nothing changed", times["remembered"], "ms", at_most=5)


def _times(what: dict[str, Callable[[], None]], rounds: int) -> dict[str, float]:
    """The median milliseconds of each, measured in turn; the first round is not counted."""
    times: dict[str, list[float]] = {name: [] for name in what}
    for number in range(rounds + 1):
        for name, ask in what.items():
            started = time.perf_counter()
            ask()
            if number:
                times[name].append((time.perf_counter() - started) * 1000)
    return {name: median(each) for name, each in times.items()}


def _raw(storage: Storage) -> Callable[[], None]:
    """A fetch of the rows that a list reads."""
    first = first_id_at(from_datetime(datetime.now(UTC) - timedelta(days=WINDOW_DAYS, hours=1)))
    table_url, signature = row_url(storage).split("(PartitionKey", 1)[0], row_url(storage).split("?", 1)[1]
    parts = urlsplit(f"{table_url}()?{signature}")
    wanted = quote(KeyRange(storage.account, first, "alias:").filter())
    accept = {"Accept": "application/json;odata=minimalmetadata"}
    return _asking(parts.port or 0, f"{parts.path}?{parts.query}&$filter={wanted}", accept)


def _asking(port: int, target: str, headers: dict[str, str] | None = None) -> Callable[[], None]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask() -> None:
        connection.request("GET", target, headers=headers or {})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != OK or body.count(b"FourthCoffeeSample") < JOBS:
            raise RuntimeError(f"{target.partition('?')[0]}: {answer.status}, {len(body)} bytes")

    return ask
