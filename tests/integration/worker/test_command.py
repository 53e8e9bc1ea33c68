"""`python -m proxy worker` as operators run it."""

import asyncio
import fcntl
import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from adapters.model.jobs import JobStatus
from proxy.cli.main import main
from proxy.cli.worker import reader_limits, worker_limits
from proxy.settings import load_settings
from proxy.worker.reader_pool import ReaderLimits
from proxy.worker.work_directory import PREFIX, read_heartbeats, work_directory
from tests.integration.worker.test_worker import finished
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, play, shops
from tests.support.worker_processes import worker_process


def test_a_worker_does_jobs_until_it_is_told_to_end(storage: Storage, tmp_path: Path) -> None:
    ring = {"accounts": {storage.account: {"storage": {"connection_string": storage.connection_string}}}, "keys": {}}
    file = tmp_path / "ring.json"
    file.write_text(json.dumps(ring))
    temporary = tmp_path / "files"
    temporary.mkdir()

    async def story(desk: Desk) -> None:
        with worker_process(storage, temporary, keyring="", keyring_file=file) as worker:
            await asyncio.to_thread(worker.wait_until_ready)
            job_id = await desk.load(shops("a"))
            await finished(desk, job_id)
            status, said = await asyncio.to_thread(worker.end)
        assert status == 0, said
        assert "DataSourceComplete of Shops: Completed" in said
        assert (await desk.record(job_id)).status is JobStatus.COMPLETED
        assert list(temporary.iterdir()) == []

    play(storage, story)


def test_a_worker_without_a_key_ring_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("PROXY_KEYRING", "PROXY_KEYRING_FILE"):
        monkeypatch.delenv(name, raising=False)
    assert main(["worker"]) == 1
    assert "PROXY_KEYRING" in capsys.readouterr().err


def test_the_settings_bound_what_a_worker_does() -> None:
    settings = load_settings(
        keyring="{}", max_entities=5, max_upload_mb=2, data_location_hosts="data.example.com", worker_tries=7
    )
    bounds = worker_limits(settings)
    assert (bounds.load.entities, bounds.load.unpacked_bytes, bounds.upload_bytes) == (5, 2 << 20, 2 << 20)
    assert reader_limits(load_settings(keyring="{}")) == ReaderLimits(512, 1800, 2)
    assert (bounds.location_hosts, bounds.tries) == (frozenset({"data.example.com"}), 7)


@pytest.mark.parametrize("folder", ["missing", "file"])
def test_a_worker_without_its_folder_for_files_says_so_and_ends(storage: Storage, tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").touch()
    with worker_process(storage, tmp_path / folder) as worker:
        said = worker.process.communicate(timeout=20)[1].decode()
    assert worker.process.returncode == 1
    assert said == f"TMPDIR: {tmp_path / folder}; it must be a folder that the worker may write to\n"


def test_nothing_that_others_leave_among_the_temporary_files_holds_up_a_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    pipe, link, strangers = (tmp_path / f"{PREFIX}{name}" for name in ("pipe", "link", "strangers"))
    for folder in (pipe, link, strangers):
        folder.mkdir()
    os.mkfifo(pipe / "lock")  # whoever opens it waits for ever
    (link / "lock").symlink_to(tmp_path / "elsewhere")
    (strangers / "lock").touch()
    own, user = os.getuid(), {strangers: os.getuid() + 1}
    real = Path.lstat
    monkeypatch.setattr(
        Path, "lstat", lambda self: SimpleNamespace(st_uid=user.get(self, own)) if self in user else real(self)
    )
    assert read_heartbeats() == []
    with work_directory() as mine:
        assert set(tmp_path.iterdir()) == {mine, pipe, link, strangers}
        assert len(read_heartbeats()) == 1


def test_the_files_of_dead_workers_are_removed_and_those_of_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead, alive, strange = (tmp_path / f"{PREFIX}{name}" for name in ("dead", "alive", "strange"))
    for folder in (dead, alive, strange):
        folder.mkdir()
        (folder / "data").touch()
    (strange / "lock").mkdir()  # what can't be locked is nobody's to remove
    with (alive / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with work_directory() as mine:
            assert set(tmp_path.iterdir()) == {mine, alive, strange}
    assert not mine.exists()
