"""The plan of a geocode job: made once of the file, which may be somewhere else and change there."""

from dataclasses import replace

import pytest

from adapters.blobs.store import BlobStore
from adapters.model.job_ids import new_job_id
from adapters.model.jobs import BlobPath, JobStatus
from proxy.worker.geocoding.checkpoints import Checkpoints, Plan
from proxy.worker.job import now
from tests.integration.worker.geocoding.jobs import create, create_row, geocode, outputs, rows, with_maps
from tests.support.canned_maps import CannedMaps
from tests.support.storage import Storage
from tests.support.worker_desk import Desk


async def test_a_file_elsewhere_is_fetched_once(desk: Desk, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.worker.geocoding.calls.TURN_SECONDS", 0.0)
    container = f"data-{desk.account.name[-12:]}"
    storage.blobs.create_container(container, public_access="blob")
    data = storage.blobs.get_blob_client(container, "batch.csv")
    data.upload_blob(rows(250))
    desk = with_maps(desk, CannedMaps())
    job_id = await create_row(desk, new_job_id(now()), {"input": "csv", "location": data.url})
    await desk.step(await desk.receive())
    assert (await desk.record(job_id)).status is JobStatus.PENDING
    data.upload_blob(rows(3), overwrite=True)
    await desk.work()
    job = await desk.record(job_id)
    assert (job.status, job.processed, job.failed) == (JobStatus.COMPLETED, 250, 0)
    succeeded, _ = await outputs(desk, job)
    assert len(succeeded.splitlines()) == 252


async def test_a_location_that_may_not_be_fetched_aborts(desk: Desk) -> None:
    job_id = await create_row(desk, new_job_id(now()), {"input": "csv", "location": "https://other.example.com/x"})
    await with_maps(desk, CannedMaps()).work()
    assert (await desk.record(job_id)).status is JobStatus.ABORTED


async def test_data_that_is_gone_aborts(desk: Desk) -> None:
    job_id = await create_row(desk, new_job_id(now()), {"input": "csv", "upload": "uploads/none/none"})
    await with_maps(desk, CannedMaps()).work()
    assert (await desk.record(job_id)).error_message == "The data that was sent is not there any more."


async def test_of_two_attempts_the_quicker_ones_plan_counts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    put_new = BlobStore.put_new

    async def late(self: BlobStore, content: bytes, path: BlobPath) -> bool:
        other = content.replace(b'"rows": 2', b'"rows": 5')
        assert await put_new(self, other, path)
        return await put_new(self, content, path)

    job_id = await create(desk, rows(2))
    plan = Plan("uploads/a/b", "0" * 12, 2, 2, [[0]])
    monkeypatch.setattr(BlobStore, "put_new", late)
    assert await Checkpoints(desk.account, job_id).write_plan(plan) == replace(plan, rows=5)


async def test_a_job_whose_plan_another_attempt_made_is_done_all_the_same(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_plan = Checkpoints.write_plan

    async def late(self: Checkpoints, plan: Plan) -> Plan:
        await write_plan(self, plan)
        return replace(plan, rows=plan.rows + 1)  # as another file would have

    monkeypatch.setattr(Checkpoints, "write_plan", late)
    job = await geocode(with_maps(desk, CannedMaps()), rows(2))
    assert (job.status, job.processed) == (JobStatus.COMPLETED, 2)


async def test_answers_written_together_are_read_apart(desk: Desk) -> None:
    checkpoints = Checkpoints(desk.account, new_job_id(now()))
    both = {3: b"a\nb\n", 11: b"c\n"}
    await checkpoints.write_answers(both)
    await checkpoints.write_answers({7: b"d\n"})
    assert sorted((await checkpoints.list_progress()).written) == [(3, 11), (7,)]
    assert await checkpoints.read_answers((3, 11)) == both
    assert await checkpoints.read_answers((7,)) == {7: b"d\n"}
    assert await checkpoints.read_answers((8,)) == {}
