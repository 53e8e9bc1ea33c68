"""An operator retries an Aborted job: it is done once more, as if it had just been created."""

import asyncio

import pytest

from adapters.blobs.store import EXPORTS, UPLOADS, BlobStore
from adapters.errors import StorageError
from adapters.job_queue import JobQueue
from adapters.model.jobs import JobStatus, JobType
from adapters.model.ticks import FIRST
from adapters.tables.data_source_store import DataSourceStore
from adapters.tables.leased_jobs import Claim
from proxy.operations.errors import OperationError
from proxy.operations.job_changes import OTHER_IS_RUNNING, abort_job, retry_job
from proxy.operations.job_views import ENDED_ONLY, OF_ANOTHER_PROGRAM, UPLOAD_GONE, FoundJob, find_job, show_job
from proxy.worker.cleanup import clean_up
from proxy.worker.job import now
from tests.integration.worker.test_attempts import FAULT, fail_calls
from tests.integration.worker.test_lease import HeldUploads
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, shops

WHO = "amy@desk"


@pytest.fixture(autouse=True)
def _without_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.worker.attempt.MAX_RETRY_SECONDS", 0.0)


async def find(desk: Desk, job_id: str) -> FoundJob:
    return await find_job([desk.account], job_id)


async def aborted_load(desk: Desk, monkeypatch: pytest.MonkeyPatch, data: bytes = b"") -> str:
    """A load that storage failed."""
    with monkeypatch.context() as patch:
        fail_calls(patch, BlobStore, "upload_file", *([FAULT] * 3))
        job = await desk.done(desk.load(data or shops("a", "a")))
    assert job.status is JobStatus.ABORTED
    return job.row_key


async def test_a_retried_job_is_done_once_more_and_leaves_nothing_of_its_end(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = await aborted_load(desk, monkeypatch)
    await clean_up(desk.account)  # which keeps the data of an aborted job
    record = await retry_job(await find(desk, job_id), WHO)
    assert (record.status, record.completed, record.error_message) == (JobStatus.PENDING, None, None)
    assert (record.total, record.processed, record.failed) == (0, 0, 0)
    await desk.work()
    record = await desk.record(job_id)
    assert (record.status, record.processed, record.failed) == (JobStatus.COMPLETED, 2, 1)
    assert await desk.published() == {"a": None}
    assert (await desk.the_source()).applied == (job_id,)
    assert (await show_job(await find(desk, job_id))).attempts == 1  # those of before count no more
    (entry,) = await desk.account.audit.list_since(FIRST)
    assert (entry.who, entry.what, entry.on, entry.after) == (WHO, "jobs retry", job_id, "Pending")
    assert entry.before.startswith("Aborted: The job was given up after 3 tries.")


async def test_the_error_log_of_the_end_before_is_deleted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        fail_calls(patch, DataSourceStore, "change", *([FAULT] * 3))
        job = await desk.done(desk.load(shops("a", "a")))
    assert (job.status, job.failed_blob is None) == (JobStatus.ABORTED, False)
    record = await retry_job(await find(desk, job.row_key), WHO)
    assert record.failed_blob is None
    assert job.failed_blob not in await desk.account.blobs.list_blobs(EXPORTS, "")


async def test_of_two_operators_one_retries(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    found = await find(desk, await aborted_load(desk, monkeypatch))
    outcomes = await asyncio.gather(*(retry_job(found, WHO) for _ in range(3)), return_exceptions=True)
    assert sorted(isinstance(each, OperationError) for each in outcomes) == [False, True, True]
    await desk.work()
    assert len((await desk.the_source()).applied) == 1


async def test_a_job_that_has_not_failed_is_not_retried(desk: Desk, storage: Storage) -> None:
    done = (await desk.done(desk.load(shops("a")))).row_key
    waiting = await desk.create(JobType.ACCESS, public=True)
    foreign = storage.job("Geocode", "Failed")
    told = {
        done: ENDED_ONLY[JobStatus.COMPLETED],
        waiting: ENDED_ONLY[JobStatus.PENDING],
        foreign: OF_ANOTHER_PROGRAM,
    }
    for job_id, text in told.items():
        with pytest.raises(OperationError) as refused:
            await retry_job(await find(desk, job_id), WHO)
        assert str(refused.value) == text == (await show_job(await find(desk, job_id))).refusal
    assert (await desk.record(done)).status is JobStatus.COMPLETED


async def test_a_job_whose_data_is_gone_says_so_and_stays_as_it_is(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = await aborted_load(desk, monkeypatch)
    monkeypatch.setattr("proxy.worker.cleanup.RETRY_GRACE", -1)
    await clean_up(desk.account)
    assert await desk.blobs(UPLOADS) == []
    with pytest.raises(OperationError, match=UPLOAD_GONE):
        await retry_job(await find(desk, job_id), WHO)
    assert (await desk.record(job_id)).status is JobStatus.ABORTED


async def test_no_job_is_retried_beside_a_running_one_of_its_data_source(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id, other = await aborted_load(desk, monkeypatch), await desk.load(shops("b"))
    lease = await desk.receive()
    held = await desk.account.jobs.get_held(other)
    assert held is not None
    assert await desk.account.jobs.claim(held, Claim(lease.message_id, "a try", "a worker", 1, now()))
    with pytest.raises(OperationError, match=OTHER_IS_RUNNING.format(other)):
        await retry_job(await find(desk, job_id), WHO)
    await lease.release()
    await desk.work()
    await retry_job(await find(desk, job_id), WHO)
    await desk.work()
    assert await desk.published() == {"a": None}


async def test_a_job_that_can_not_be_handed_to_workers_stays_aborted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = await aborted_load(desk, monkeypatch)
    before = await desk.record(job_id)
    with monkeypatch.context() as patch:
        fail_calls(patch, JobQueue, "enqueue", FAULT)
        with pytest.raises(StorageError):
            await retry_job(await find(desk, job_id), WHO)
    assert await desk.record(job_id) == before


async def test_an_attempt_of_before_has_no_effect_on_the_retried_job(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        held = HeldUploads.patch(patch)
        job_id = await desk.load(shops("a"))
        sleeping = asyncio.create_task(desk.step(await desk.receive()))
        await held.begun.wait()
    await abort_job(await find(desk, job_id), WHO)
    await retry_job(await find(desk, job_id), WHO)
    await desk.step(await desk.receive())
    source = await desk.the_source()
    held.go_on.set()
    await sleeping
    assert await desk.the_source() == source
    assert (await desk.record(job_id)).status is JobStatus.COMPLETED
