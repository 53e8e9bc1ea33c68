"""Kills of workers at random moments; `make soak` has more of them."""

from pathlib import Path

import pytest

from tests.support.storage import Storage
from tests.support.worker_kills import freeze_workers, kill_workers

pytestmark = pytest.mark.slow

KILLS = 5  # one of each kind of job
FREEZES = 1


def test_jobs_of_killed_workers_have_the_effect_of_once(storage: Storage, tmp_path: Path) -> None:
    kill_workers(storage, tmp_path, KILLS, seed=5)


def test_frozen_worker_does_not_overwrite_its_successor(storage: Storage, tmp_path: Path) -> None:
    freeze_workers(storage, tmp_path, FREEZES, seed=5)
