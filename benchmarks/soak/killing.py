"""Kills of workers in the middle of loads, publishes, rollbacks and deletes."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.soak.figures import Figure, at_least
from tests.support.storage import Storage
from tests.support.worker_kills import freeze_workers, kill_workers

ROW = "killed workers"
FROZEN = "frozen workers"
KILLS = 20
FREEZES = 20


def killing(storage: Storage, *, kills: int = KILLS, seed: int = 20) -> Iterator[Figure]:
    """Kills so many workers. Lost, doubled or incomplete data ends the run with an error."""
    with TemporaryDirectory() as folder:
        kill_workers(storage, Path(folder), kills, seed)
    yield at_least(ROW, "kills without anything lost, doubled or half seen", kills, kills)
    with TemporaryDirectory() as folder:
        freeze_workers(storage, Path(folder), FREEZES, seed)
    yield at_least(FROZEN, "freezes after which nothing was overwritten", FREEZES, FREEZES)
