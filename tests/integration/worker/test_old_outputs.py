"""Outputs of finished jobs go after the days of PROXY_KEEP_OUTPUTS_DAYS (operations contract, section 1)."""

import pytest

from adapters.blobs.store import BlobStore
from adapters.errors import StorageError, StorageErrorCode
from adapters.model.jobs import BlobPath
from proxy.worker.cleanup import clean_up
from tests.support.storage import Storage, ago, date
from tests.support.worker_desk import Desk


@pytest.fixture
def jobs(storage: Storage) -> dict[str, str]:
    """Jobs by when they ended, each with both outputs."""

    def job(name: str, status: str, **properties: object) -> str:
        blobs = {"OutputBlob": storage.export(b"1", f"{name}.txt"), "FailedBlob": storage.export(b"2", f"{name}-f.txt")}
        return storage.job("Geocode", status, **blobs, **properties)

    return {
        "old": job("old", "Completed", CompletedDate=date(ago(days=15))),
        "aborted": job("aborted", "Aborted", CompletedDate=date(ago(days=15))),
        "new": job("new", "Completed", CompletedDate=date(ago(days=13))),
        "pending": job("pending", "Pending"),
    }


async def offered(desk: Desk, job_id: str) -> list[BlobPath]:
    record = await desk.record(job_id)
    return [path for path in (record.output_blob, record.failed_blob) if path is not None]


async def exist(desk: Desk, paths: list[BlobPath]) -> list[bool]:
    return [await desk.account.blobs.get(path) is not None for path in paths]


async def test_outputs_of_old_jobs_are_deleted_and_no_others(desk: Desk, jobs: dict[str, str]) -> None:
    paths = {name: await offered(desk, job_id) for name, job_id in jobs.items()}
    await clean_up(desk.account, 14)
    for name, job_id in jobs.items():
        is_kept = name in {"new", "pending"}
        assert await offered(desk, job_id) == (paths[name] if is_kept else [])
        assert await exist(desk, paths[name]) == [is_kept, is_kept]
    assert await desk.account.jobs.list_ended_outputs(desk.account.clock.now()) != []  # the new one
    record = await desk.record(jobs["old"])
    assert (record.completed is None, record.status.value) == (False, "Completed")


async def test_outputs_stay_by_default(desk: Desk, jobs: dict[str, str]) -> None:
    await clean_up(desk.account)
    for job_id in jobs.values():
        assert await exist(desk, await offered(desk, job_id)) == [True, True]


async def test_the_row_offers_no_output_before_it_is_deleted(
    desk: Desk, jobs: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    paths, deleted = await offered(desk, jobs["old"]), BlobStore.delete

    async def fail(_self: BlobStore, _path: BlobPath) -> None:
        raise StorageError(StorageErrorCode.TIMEOUT, "nothing within 5 s")

    monkeypatch.setattr(BlobStore, "delete", fail)
    with pytest.raises(StorageError):
        await clean_up(desk.account, 14)
    assert await exist(desk, paths) == [True, True]
    monkeypatch.setattr(BlobStore, "delete", deleted)
    await clean_up(desk.account, 14)  # the row still names what is left to delete
    assert await offered(desk, jobs["old"]) == []
    assert await exist(desk, paths) == [False, False]
