"""Workers killed at random moments; `make soak` has more of them."""

from pathlib import Path

from tests.storage import Storage
from tests.work.killing import kill_workers

KILLS = 6


def test_jobs_whose_workers_are_killed_have_the_effect_of_one_try(storage: Storage, tmp_path: Path) -> None:
    kill_workers(storage, tmp_path, KILLS, seed=5)
