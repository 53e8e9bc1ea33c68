"""Kills of workers and readers at random moments, over flaky storage."""

import sys
from collections.abc import Iterator

from benchmarks.soak.figures import Figure, at_least, at_most, none_of
from benchmarks.storms.storm import DATA_SOURCES, storm
from proxy.worker.reader_pool import ReaderLimits
from tests.support.storage import Storage

ROW = "kills under faults"
KILLS = 200


def kills(storage: Storage, *, count: int = KILLS, seed: int = 19, sources: int = DATA_SOURCES) -> Iterator[Figure]:
    """Kills so many workers, beside so many clients of each account. Standard error lists what is wrong afterwards."""
    most = ReaderLimits().memory_mb
    found = storm(storage, count, seed, sources)
    for counts in (found.jobs, found.statuses, found.requests):
        print(dict(sorted(counts.items())), file=sys.stderr)
    print(*found.wrong, sep="\n", file=sys.stderr, flush=True)
    jobs = sum(number for name, number in found.jobs.items() if name.startswith("DataSource"))
    faults = found.requests.total() - found.requests["passes"]
    yield at_least(ROW, "workers killed", found.kills, count)
    yield at_least(ROW, "of those with a job in hand", found.busy_kills, count // 5)
    yield at_least(ROW, "readers killed", found.reader_kills, count // 10)
    yield at_least(ROW, "faults of storage", faults, 10 * count)
    if count >= KILLS:  # faults come in moments: a short run may consist of a bad one
        yield at_most(
            ROW, "part of storage's requests that were faults", 100 * faults / found.requests.total(), 15, "%"
        )
    yield at_least(ROW, "jobs", jobs, count)
    yield at_least(ROW, "downloads and versions compared", found.downloads + found.versions, count // 10)
    yield none_of(ROW, "data sources, versions or downloads that are wrong", found.of("wrong"))
    yield none_of(ROW, "jobs lost, unfinished, or given up", found.of("lost"))
    yield none_of(ROW, "blobs that belong to nothing", found.of("orphan"))
    yield none_of(ROW, "jobs with an internal error", found.of("internal"))
    yield none_of(ROW, "lines of logs that tell of a mishap", found.of("mishap"))
    yield at_most(ROW, "peak of a worker's memory", found.worker_mb, most, "MB")
    yield at_most(ROW, "peak of a reader's memory", found.reader_mb, most, "MB")
