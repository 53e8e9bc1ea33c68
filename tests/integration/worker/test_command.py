"""`python -m proxy worker` as operators run it."""

import asyncio
import json
import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from adapters.model.jobs import JobStatus
from proxy.cli.main import main
from proxy.cli.worker import reader_limits, worker_limits
from proxy.settings import load_settings
from proxy.worker.heartbeat import ABANDONED_SECONDS, PREFIX, heartbeat_ages
from proxy.worker.reader_pool import ReaderLimits
from proxy.worker.work_directory import remove_abandoned, work_directory
from tests.integration.worker.test_worker import wait_for_jobs
from tests.support.storage import Storage
from tests.support.worker_desk import WAIT_SECONDS, Desk, shops
from tests.support.worker_processes import worker_process


@pytest.mark.slow
async def test_worker_does_jobs_until_sigterm(desk: Desk, storage: Storage, tmp_path: Path) -> None:
    # A worker reads no keys, so a key store that is away does not concern it.
    away = {"connection_string": "AccountName=a;AccountKey=c2VjcmV0;TableEndpoint=http://127.0.0.1:1/a"}
    ring = {
        "accounts": {storage.account: {"storage": {"connection_string": storage.connection_string}}},
        "key_store": away,
    }
    file = tmp_path / "ring.json"
    file.write_text(json.dumps(ring))
    temporary = tmp_path / "files"
    temporary.mkdir()
    with worker_process(storage, temporary, keyring="", keyring_file=file) as worker:
        await asyncio.to_thread(worker.wait_until_ready)
        job_id = await desk.load(shops("a"))
        await wait_for_jobs(desk, job_id)
        status, log = await asyncio.to_thread(worker.end)
    assert status == 0, log
    assert "key store" not in log
    assert "DataSourceComplete of Shops: Completed" in log
    assert (await desk.record(job_id)).status is JobStatus.COMPLETED
    assert list(temporary.iterdir()) == []


def test_worker_without_key_ring_names_the_setting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("PROXY_KEYRING", "PROXY_KEYRING_FILE"):
        monkeypatch.delenv(name, raising=False)
    assert main(["worker"]) == 1
    assert "PROXY_KEYRING" in capsys.readouterr().err


def test_settings_become_limits() -> None:
    settings = load_settings(
        keyring="{}", max_entities=5, max_upload_mb=2, data_location_hosts="data.example.com", worker_tries=7
    )
    limits = worker_limits(settings)
    assert (limits.load.entities, limits.load.unpacked_bytes, limits.upload_bytes) == (5, 2 << 20, 2 << 20)
    assert reader_limits(load_settings(keyring="{}")) == ReaderLimits(512, 1800, 2)
    assert (limits.location_hosts, limits.tries) == (frozenset({"data.example.com"}), 7)


@pytest.mark.parametrize("folder", ["missing", "file"])
def test_worker_without_temporary_directory_ends(storage: Storage, tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").touch()
    with worker_process(storage, tmp_path / folder) as worker:
        log = worker.process.communicate(timeout=WAIT_SECONDS)[1].decode()
    assert worker.process.returncode == 1
    assert log == f"TMPDIR: {tmp_path / folder}; it must be a folder that the worker may write to\n"


def test_only_abandoned_directories_of_own_workers_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead, alive, foreign, link, file = (
        tmp_path / f"{PREFIX}{name}" for name in ("dead", "alive", "foreign", "link", "file")
    )
    for folder in (dead, alive, foreign):
        folder.mkdir()
        (folder / "data").touch()
    file.touch()
    link.symlink_to(foreign)
    long_ago = time.time() - ABANDONED_SECONDS - 1
    for path in (dead, foreign, link, file):
        os.utime(path, (long_ago, long_ago), follow_symlinks=False)
    real, mode = Path.lstat, foreign.lstat().st_mode
    strangers = SimpleNamespace(st_uid=os.getuid() + 1, st_mode=mode, st_mtime=long_ago)
    monkeypatch.setattr(Path, "lstat", lambda self: strangers if self == foreign else real(self))
    with work_directory() as mine:
        remove_abandoned()
        assert set(tmp_path.iterdir()) == {mine, alive, foreign, link, file}
        assert set(heartbeat_ages()) == {mine, alive}
    assert not mine.exists()
