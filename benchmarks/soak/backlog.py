"""Many jobs of one data source at once, and two workers."""

from collections.abc import Iterator
from uuid import uuid4

from benchmarks.soak.figures import Figure, at_most
from proxy.demo.azurite import start_emulator
from tests.support.backlog import run_backlog
from tests.support.storage import Storage

SIZES = (10, 40, 120, 200)


def backlog(_storage: Storage) -> Iterator[Figure]:
    """Each size in storage of its own, so that none finds the jobs of another."""
    first = None
    for jobs in SIZES:
        with start_emulator() as emulator, Storage.open(emulator, f"account-{uuid4().hex[:12]}") as storage:
            found = run_backlog(storage, jobs)
        row, first = f"backlog of {jobs}", first or found.calls
        yield at_most(row, "storage calls a job", found.calls, 1.5 * first, "")
        yield at_most(row, "time of a job", found.seconds, 1.5, "s")
        yield at_most(row, "longest wait for the next one's turn", max(found.gaps), 1.0, "s")
