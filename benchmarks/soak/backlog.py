"""Many jobs of one data source at once, and two workers."""

from collections.abc import Iterator
from uuid import uuid4

from benchmarks.soak.figures import Figure, at_most
from proxy.demo.azurite import start_emulator
from tests.support.backlog import run_backlog
from tests.support.storage import Storage

SIZES = (10, 40, 120, 200)


def backlog(_storage: Storage) -> Iterator[Figure]:
    """Each size has its own storage. The first job's successor waits until all messages were received once."""
    first = None
    for jobs in SIZES:
        with start_emulator() as emulator, Storage.open(emulator, f"account-{uuid4().hex[:12]}") as storage:
            found = run_backlog(storage, jobs)
        row, first = f"backlog of {jobs}", first or found.calls
        yield at_most(row, "storage calls a job", found.calls, 1.5 * first, "")
        yield at_most(row, "time of a job", found.seconds, 1.5, "s")
        yield at_most(row, "longest time from one job to the next", max(found.gaps), 3.0, "s")
