"""Workers killed at random moments; `make soak` has more of them."""

from pathlib import Path

from tests.support.storage import Storage
from tests.support.worker_kills import freeze_workers, kill_workers

KILLS = 6
FREEZES = 3


def test_jobs_whose_workers_are_killed_have_the_effect_of_one_try(storage: Storage, tmp_path: Path) -> None:
    kill_workers(storage, tmp_path, KILLS, seed=5)


def test_a_load_whose_worker_was_frozen_for_longer_than_its_lease_stays_as_others_made_it(
    storage: Storage, tmp_path: Path
) -> None:
    freeze_workers(storage, tmp_path, FREEZES, seed=5)
