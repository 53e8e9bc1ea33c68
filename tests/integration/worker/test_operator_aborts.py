"""An operator ends a Pending job: its worker stops, and it has either all of its effect or none."""

from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import pytest

from adapters.errors import StorageError, StorageErrorCode
from adapters.model.jobs import JobRecord, JobStatus, JobType
from adapters.model.ticks import FIRST
from adapters.tables.data_source_store import DataSourceStore
from adapters.tables.job_store import JobStore
from adapters.tables.leased_jobs import Claim
from proxy.operations.errors import OperationError
from proxy.operations.job_changes import ABORTED_BY_OPERATOR, HAS_ITS_EFFECT, abort_job, wait_for_job
from proxy.operations.job_views import find_job
from proxy.worker.attempt import Attempt
from proxy.worker.job import now
from tests.integration.worker.test_attempts import FAULT, fail_calls
from tests.integration.worker.test_lease import HeldUploads
from tests.integration.worker.test_worker import ring_of, wait_for_jobs, wait_until, working
from tests.support.storage import BUSY_SECONDS, Storage
from tests.support.worker_desk import Desk, shops

WHO = "amy@desk"


async def abort(desk: Desk, job_id: str) -> JobRecord:
    return await abort_job(await find_job([desk.account], job_id), WHO)


def on_first_call(
    monkeypatch: pytest.MonkeyPatch, owner: type, name: str, *, before: bool, do: Callable[[], Awaitable[object]]
) -> None:
    """Does something before or after the first call of a method."""
    method, is_first = getattr(owner, name), [True]

    async def call(self: object, *arguments: Any, **named: Any) -> object:
        first = is_first and is_first.pop()
        if first and before:
            await do()
        result = await method(self, *arguments, **named)
        if first and not before:
            await do()
        return result

    monkeypatch.setattr(owner, name, call)


async def test_a_waiting_job_ends_and_the_next_one_is_done(desk: Desk) -> None:
    job_id, following = await desk.load(shops("a")), await desk.load(shops("b"))
    record = await abort(desk, job_id)
    assert (record.status, record.error_message) == (JobStatus.ABORTED, "Ended by the operator.")
    assert record.completed is not None
    await desk.work()
    assert await desk.record(job_id) == record
    assert (await desk.record(following)).status is JobStatus.COMPLETED
    assert await desk.published() == {"b": None}
    (entry,) = await desk.account.audit.list_since(FIRST)
    assert (entry.who, entry.what, entry.on) == (WHO, "jobs abort", job_id)
    assert (entry.before, entry.after) == ("Pending", f"Aborted: {ABORTED_BY_OPERATOR}")


async def test_a_worker_that_loads_stops_within_its_heartbeat(
    desk: Desk, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = ring_of(storage, BUSY_SECONDS, 1)
    with monkeypatch.context() as patch:
        held = HeldUploads.patch(patch)
        async with ring.accounts, working(desk, ring):
            job_id = await desk.load(shops("a"))
            await held.begun.wait()
            await abort(desk, job_id)

            async def has_stopped() -> bool:
                return not list(desk.context.folder.iterdir())

            await wait_until(has_stopped)
            patch.undo()
            await wait_for_jobs(desk, await desk.load(shops("b")))
    assert (await desk.record(job_id)).error_message == ABORTED_BY_OPERATOR
    assert await desk.published() == {"b": None}


async def test_an_attempt_that_writes_its_end_is_not_taken_for_ended(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = await desk.load(shops("a"))
    attempt = Attempt(desk.account, await desk.receive(), desk.context)
    on_first_call(monkeypatch, JobStore, "complete", before=False, do=attempt.confirm)
    await attempt.run()
    assert attempt.outcome == "Completed"
    assert (await desk.record(job_id)).status is JobStatus.COMPLETED


async def test_a_write_that_was_confirmed_before_the_end_fails(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.done(desk.load(shops("a")))
    job_id = await desk.load(shops("b"))
    on_first_call(monkeypatch, DataSourceStore, "_write", before=True, do=lambda: abort(desk, job_id))
    await desk.work()
    assert (await desk.record(job_id)).error_message == ABORTED_BY_OPERATOR
    assert await desk.published() == {"a": None}


async def test_a_job_that_has_made_its_change_is_completed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = list[str]()

    async def try_to_abort() -> None:
        with pytest.raises(OperationError) as error:
            await abort(desk, job_id)
        refused.append(str(error.value))

    job_id = await desk.load(shops("a"))
    on_first_call(monkeypatch, JobStore, "complete", before=True, do=try_to_abort)
    await desk.work()
    assert refused == [HAS_ITS_EFFECT]
    assert (await desk.record(job_id)).status is JobStatus.COMPLETED
    assert (await desk.the_source()).applied == (job_id,)


async def test_a_deletion_that_has_begun_is_completed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.done(desk.load(shops("a")))
    job_id = await desk.delete()

    async def try_to_abort() -> None:
        with pytest.raises(OperationError, match=HAS_ITS_EFFECT):
            await abort(desk, job_id)

    on_first_call(monkeypatch, DataSourceStore, "change", before=False, do=try_to_abort)
    await desk.work()
    assert (await desk.record(job_id)).status is JobStatus.COMPLETED
    assert await desk.source() is None


async def test_a_worker_that_begins_and_makes_the_change_meanwhile_decides(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.done(desk.load(shops("a")))
    job_id = await desk.create(JobType.ACCESS, public=True)

    async def change_and_die() -> None:
        fail_calls(monkeypatch, JobStore, "complete", FAULT)
        lease = await desk.receive()
        with pytest.raises(StorageError):
            await desk.step(lease)
        await lease.release()

    on_first_call(monkeypatch, DataSourceStore, "get", before=False, do=change_and_die)
    with pytest.raises(OperationError, match=HAS_ITS_EFFECT):
        await abort(desk, job_id)
    await desk.work()
    assert (await desk.record(job_id)).status is JobStatus.COMPLETED
    assert (await desk.the_source()).is_public


async def test_the_next_job_does_not_wait_for_the_worker_of_an_ended_one(desk: Desk) -> None:
    job_id, following = await desk.load(shops("a")), await desk.load(shops("b"))
    lease = await desk.receive()
    held = await desk.account.jobs.get_held(job_id)
    assert held is not None
    assert await desk.account.jobs.claim(held, Claim(lease.message_id, "a try", "a worker", 1, now()))
    await desk.step(await desk.receive())  # the following one, which is hidden then
    assert await desk.account.queue.receive() is None
    await abort(desk, job_id)
    while (waiting := await desk.account.queue.receive()) is not None:
        await desk.step(waiting)
    assert (await desk.record(following)).status is JobStatus.COMPLETED


async def test_a_worker_that_ends_the_job_meanwhile_is_first(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = await desk.create(JobType.ACCESS, public=True)

    async def end() -> None:
        await desk.step(await desk.receive())  # aborts it: there is no such data source

    on_first_call(monkeypatch, JobStore, "void_attempts", before=False, do=end)
    with pytest.raises(OperationError, match="The job has ended already: it is Aborted"):
        await abort(desk, job_id)
    assert (await desk.record(job_id)).error_message == "There is no such data source."


async def test_only_a_pending_job_can_be_ended(desk: Desk) -> None:
    done = await desk.done(desk.load(shops("a")))
    with pytest.raises(OperationError, match="The job has ended already: it is Completed"):
        await abort(desk, done.row_key)
    assert await desk.record(done.row_key) == done


async def test_a_job_of_another_program_can_be_ended(desk: Desk, storage: Storage) -> None:
    job_id = storage.job("Geocode", "Running")
    assert (await abort(desk, job_id)).status is JobStatus.ABORTED
    with pytest.raises(OperationError, match="The job has ended already: it is Aborted"):
        await abort(desk, job_id)


async def test_a_job_whose_row_is_deleted_meanwhile_is_gone(
    desk: Desk, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = await desk.create(JobType.ACCESS, public=True)

    async def delete() -> None:
        storage.table.delete_entity(storage.account, job_id)

    on_first_call(monkeypatch, JobStore, "void_attempts", before=False, do=delete)
    with pytest.raises(OperationError, match="The row of the job is gone"):
        await abort(desk, job_id)
    with pytest.raises(OperationError, match=f"The row of the job {job_id} is gone"):
        await wait_for_job(desk.account, job_id)


async def test_a_change_is_made_where_the_table_of_changes_can_not_be_written(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("adapters.tables.audit_rows.AuditRows._create", _refuse)
    assert (await abort(desk, await desk.load(shops("a")))).status is JobStatus.ABORTED
    assert caplog.messages[-1:] == ["the change is made, but the table audit can't be written: refused: HTTP 403"]


async def _refuse(*_: object) -> NoReturn:
    raise StorageError(StorageErrorCode.ACCESS_DENIED, "HTTP 403")
