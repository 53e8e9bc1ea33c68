"""Turns of a geocode job: others come in between, what was asked is not asked again, and a job that stops, stops."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from adapters.blobs.store import UPLOADS
from adapters.errors import StorageError, StorageErrorCode
from adapters.job_queue import JobQueue
from adapters.maps.errors import MapsError, MapsFailure
from adapters.model.geocoding import Answer, Item
from adapters.model.jobs import JobStatus
from proxy.worker.geocoding.checkpoints import Checkpoints
from proxy.worker.job import now
from proxy.worker.lease import run_leased_job
from tests.integration.worker.geocoding.jobs import create, geocode, outputs, rows, with_maps
from tests.support.canned_maps import CannedMaps
from tests.support.storage import Storage
from tests.support.worker_desk import WAIT_SECONDS, Desk, shops

TURN = "proxy.worker.geocoding.calls.TURN_SECONDS"


async def test_equal_items_are_asked_once(desk: Desk) -> None:
    """J14."""
    maps = CannedMaps()
    body = rows(600) + rows(400, 600, "place 5").partition(b"FaultReason\n")[2]
    job = await geocode(with_maps(desk, maps), body)
    assert (job.processed, job.failed, len(maps.asked)) == (1000, 0, 600)


async def test_items_go_by_language(desk: Desk) -> None:
    """J13."""
    maps = CannedMaps()
    head = b"Bing Spatial Data Services, 2.0\nId,GeocodeRequest/Culture,GeocodeRequest/Query\n"
    await geocode(with_maps(desk, maps), head + b"1,en-US,a\n2,fi-FI,b\n3,,c\n4,fi_FI,d\n")
    assert (maps.calls, [asked[:9] for asked in maps.asked]) == (2, ['["en-US",'] * 3 + ['["fi-FI",'])


async def test_rows_with_a_fault_cost_no_call(desk: Desk) -> None:
    """J17."""
    maps = CannedMaps()
    job = await geocode(with_maps(desk, maps), rows(3, query=""))
    assert (job.status, job.total, job.processed, job.failed, maps.calls) == (JobStatus.COMPLETED, 3, 3, 3, 0)
    assert (job.output_blob, job.failed_blob is None) == (None, False)


async def test_a_file_without_rows_is_completed_without_outputs(desk: Desk) -> None:
    """J18."""
    job = await geocode(with_maps(desk, CannedMaps()), rows(0))
    assert (job.status, job.total, job.processed, job.failed) == (JobStatus.COMPLETED, 0, 0, 0)
    assert (job.output_blob, job.failed_blob) == (None, None)


@pytest.mark.parametrize(
    "body", [b"\xff\xfe\xff", b"Id,GeocodeRequest/Query\n1,a\n", b"Bing Spatial Data Services, 2.0\n"]
)
async def test_a_bad_file_is_aborted_before_the_first_call(body: bytes, desk: Desk) -> None:
    maps = CannedMaps()
    job = await geocode(with_maps(desk, maps), body)
    assert (job.status, maps.calls) == (JobStatus.ABORTED, 0)
    assert job.error_message


async def test_too_many_items_are_aborted_before_the_first_call(desk: Desk) -> None:
    maps = CannedMaps()
    job = await geocode(with_maps(desk, maps, maps_items_per_job=4), rows(5))
    assert (job.status, maps.calls) == (JobStatus.ABORTED, 0)
    assert job.error_message == "The file has 5 different requests, and PROXY_MAPS_ITEMS_PER_JOB allows 4."


async def test_equal_items_count_once_against_the_bound(desk: Desk) -> None:
    maps = CannedMaps()
    body = rows(4) + rows(4, 4, "place 1").partition(b"FaultReason\n")[2]
    job = await geocode(with_maps(desk, maps, maps_items_per_job=4), body)
    assert (job.status, job.processed, len(maps.asked)) == (JobStatus.COMPLETED, 8, 4)
    assert maps.given_back == 1


async def test_a_job_takes_turns_and_asks_nothing_twice(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TURN, 0.8)
    maps = CannedMaps(seconds=0.3)  # not all chunks fit into one turn, however quick the machine is
    desk = with_maps(desk, maps)
    job_id = await create(desk, rows(3000))
    turns = 0
    while (await desk.record(job_id)).status is JobStatus.PENDING:
        await desk.step(await desk.receive())
        turns += 1
    assert turns > 1
    assert (len(maps.asked), len(set(maps.asked))) == (3000, 3000)
    assert 2 <= maps.most_at_once <= 8
    job = await desk.record(job_id)
    assert (job.processed, job.failed) == (3000, 0)
    succeeded, _ = await outputs(desk, job)
    assert [line.partition(",")[0] for line in succeeded.splitlines()[2:]] == [str(each) for each in range(3000)]


async def test_jobs_that_wait_come_before_the_next_turn(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """J11: a large job gives way to a small one and to a load, whatever their order in the queue."""
    monkeypatch.setattr(TURN, 0.0)
    desk = with_maps(desk, CannedMaps())
    large = await create(desk, rows(1500))
    await desk.step(await desk.receive())
    small, load = await create(desk, rows(2)), await desk.load(shops("a"))
    while (await desk.record(large)).status is JobStatus.PENDING:
        await desk.step(await desk.receive())
    ended = {(await desk.record(each)).completed or 0: each for each in (large, small, load)}
    assert [ended[each] for each in sorted(ended)] == [small, load, large]


async def test_a_killed_worker_costs_only_the_calls_in_flight(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """J10."""
    monkeypatch.setattr("proxy.worker.geocoding.calls.IN_FLIGHT", 1)
    maps = CannedMaps()
    job_id = await create(desk, rows(500))

    def die(call: int) -> None:
        if call > 3:
            raise asyncio.CancelledError

    maps.before = die
    lease = await desk.receive()
    await with_maps(desk, maps).step(lease)
    await lease.release()  # as the lease of a dead worker ends, only sooner
    before = len(maps.asked)
    maps.before = lambda _: None
    await with_maps(desk, maps).work()
    job = await desk.record(job_id)
    assert (before, len(maps.asked), job.processed, job.failed) == (300, 500, 500, 0)


async def test_attempts_that_progress_never_exhaust_the_tries(desk: Desk, storage: Storage) -> None:
    maps = CannedMaps()
    fault = StorageError(StorageErrorCode.TIMEOUT, "nothing within 5 s")

    def fail(call: int) -> None:
        if call % 2 == 0:
            raise fault

    maps.before = fail
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("proxy.worker.attempt.MAX_RETRY_SECONDS", 0.0)
        patch.setattr("proxy.worker.geocoding.calls.IN_FLIGHT", 1)
        job = await geocode(with_maps(desk, maps), rows(800))  # with three tries
    assert (job.status, job.processed, len(maps.asked)) == (JobStatus.COMPLETED, 800, 800)
    assert storage.table.get_entity(storage.account, job.row_key)["Attempts"] <= 1


async def test_attempts_without_progress_exhaust_them(desk: Desk) -> None:
    def fail(_: int) -> None:
        raise StorageError(StorageErrorCode.TIMEOUT, "nothing within 5 s")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("proxy.worker.attempt.MAX_RETRY_SECONDS", 0.0)
        job = await geocode(with_maps(desk, CannedMaps(before=fail)), rows(2))
    assert job.status is JobStatus.ABORTED
    assert str(job.error_message).startswith("The job was given up after 3 tries.")


async def test_storage_that_fails_before_the_first_call_is_the_reason(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> bytes:
        raise StorageError(StorageErrorCode.TIMEOUT, "nothing within 5 s")

    monkeypatch.setattr("proxy.worker.attempt.MAX_RETRY_SECONDS", 0.0)
    monkeypatch.setattr(Checkpoints, "read_items", fail)
    job = await geocode(with_maps(desk, CannedMaps()), rows(2))
    assert "storage" in str(job.error_message).lower()


async def test_a_used_up_day_leaves_the_job_pending(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """J15."""
    monkeypatch.setattr("proxy.worker.geocoding.calls.WAIT_SECONDS", 0.1)
    is_used_up, enqueue, waits = True, JobQueue.enqueue, list[float]()

    async def enqueue_after(queue: JobQueue, job_id: str, *, after: float = 0) -> None:
        waits.append(after)
        await enqueue(queue, job_id)

    monkeypatch.setattr(JobQueue, "enqueue", enqueue_after)

    def count(call: int) -> None:
        if is_used_up and call > 2:
            raise MapsError(MapsFailure.DAY_BOUND, "200 items", retry_after=3600)

    maps = CannedMaps(before=count)
    desk = with_maps(desk, maps)
    job_id = await create(desk, rows(500))
    for _ in range(3):
        await desk.step(await desk.receive())
        assert (await desk.record(job_id)).status is JobStatus.PENDING
    assert len(maps.asked) == 200
    assert waits[-3:] == [0.1] * 3
    is_used_up = False
    await desk.work()
    job = await desk.record(job_id)
    assert (job.status, job.processed, len(maps.asked)) == (JobStatus.COMPLETED, 500, 500)


async def test_a_part_of_a_chunk_is_not_asked_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.worker.geocoding.calls.WAIT_SECONDS", 0.0)

    class HalfMaps(CannedMaps):
        async def ask(
            self,
            items: Sequence[Item],
            language: str,
            *,
            answers: dict[int, Answer] | None = None,
            may_go_on: Callable[[], bool] = lambda: True,
        ) -> list[Answer]:
            if self.calls:
                return await super().ask(items, language, answers=answers, may_go_on=may_go_on)
            assert answers is not None
            answers.update(enumerate(await super().ask(items[:40], language)))
            raise MapsError(MapsFailure.DAY_BOUND, "40 items")

    maps = HalfMaps()
    job = await geocode(with_maps(desk, maps), rows(90))
    assert (job.processed, job.failed, len(maps.asked), len(set(maps.asked))) == (90, 0, 90, 90)


@pytest.mark.parametrize("first", [MapsFailure.UNAVAILABLE, MapsFailure.REFUSED, MapsFailure.DAY_BOUND])
async def test_a_part_of_a_chunk_is_kept_when_azure_maps_fails_for_good(
    first: MapsFailure, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the turn that is given up, and from an earlier one."""
    monkeypatch.setattr("proxy.worker.geocoding.calls.WAIT_SECONDS", 0.0)

    class HalfMaps(CannedMaps):
        async def ask(
            self,
            items: Sequence[Item],
            language: str,
            *,
            answers: dict[int, Answer] | None = None,
            may_go_on: Callable[[], bool] = lambda: True,
        ) -> list[Answer]:
            if self.calls:
                raise MapsError(MapsFailure.REFUSED, "HTTP 401")
            assert answers is not None
            found = await super().ask(items[20:60], language, may_go_on=may_go_on)
            answers.update(enumerate(found, 20))
            raise MapsError(first, "HTTP 500")

    job = await geocode(with_maps(desk, HalfMaps()), rows(90))
    assert (job.status, job.processed, job.failed) == (JobStatus.COMPLETED, 90, 50)
    succeeded, failed = await outputs(desk, job)
    assert [int(line.partition(",")[0]) for line in succeeded.splitlines()[2:]] == [*range(20, 60)]
    assert failed.count(",ServerError,The request was not answered.") == 50


@pytest.mark.parametrize("failure", [MapsFailure.REFUSED, MapsFailure.CREDENTIAL])
async def test_a_refusal_of_the_first_call_aborts_at_once(failure: MapsFailure, desk: Desk) -> None:
    """J1."""

    def refuse(_: int) -> None:
        raise MapsError(failure, "HTTP 401")

    maps = CannedMaps(before=refuse)
    job = await geocode(with_maps(desk, maps), rows(50))
    assert (job.status, maps.calls, job.output_blob, job.failed_blob) == (JobStatus.ABORTED, 1, None, None)
    assert "maps entry" in str(job.error_message)


@pytest.mark.parametrize("failure", [MapsFailure.REFUSED, MapsFailure.UNAVAILABLE])
async def test_what_was_answered_is_kept_when_azure_maps_fails_for_good(failure: MapsFailure, desk: Desk) -> None:
    """J2 and J7."""

    def fail(call: int) -> None:
        if call > 2:
            raise MapsError(failure, "HTTP 500")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("proxy.worker.geocoding.calls.IN_FLIGHT", 1)
        job = await geocode(with_maps(desk, CannedMaps(before=fail)), rows(350))
    assert (job.status, job.processed, job.failed) == (JobStatus.COMPLETED, 350, 150)
    _, failed = await outputs(desk, job)
    assert failed.count(",ServerError,") == 150


async def test_a_job_of_which_nothing_succeeded_is_aborted(desk: Desk) -> None:
    """J7."""

    def fail(_: int) -> None:
        raise MapsError(MapsFailure.UNAVAILABLE, "HTTP 500")

    job = await geocode(with_maps(desk, CannedMaps(before=fail)), rows(2))
    assert (job.status, job.output_blob) == (JobStatus.ABORTED, None)
    assert "HTTP 500" in str(job.error_message)


async def test_a_job_whose_account_has_no_maps_any_more_is_aborted(desk: Desk) -> None:
    """J16."""
    job = await geocode(desk, rows(2))
    assert (job.status, "Azure Maps" in str(job.error_message)) == (JobStatus.ABORTED, True)


async def test_a_job_that_another_worker_has_ended_stops(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.worker.geocoding.calls.CONFIRM_SECONDS", 0.0)
    maps = CannedMaps()
    maps.gate.clear()
    job_id = await create(desk, rows(5000))
    running = asyncio.create_task(with_maps(desk, maps).step(await desk.receive()))
    await maps.begun.wait()
    await desk.account.jobs.complete(await desk.ended(job_id, JobStatus.ABORTED))
    maps.gate.set()
    await running
    assert maps.calls < 50
    assert (await desk.record(job_id)).status is JobStatus.ABORTED


async def test_a_worker_that_has_to_end_begins_no_further_call(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.worker.lease.STOP_SECONDS", WAIT_SECONDS)
    maps, stop = CannedMaps(seconds=0.2), asyncio.Event()
    desk = with_maps(desk, maps)
    job_id = await create(desk, rows(5000))
    running = asyncio.create_task(run_leased_job(desk.account, await desk.receive(), desk.context, stop))
    await maps.begun.wait()
    stop.set()
    await running
    assert len(maps.asked) <= 800
    assert await Checkpoints(desk.account, job_id).list_progress()
    assert (await desk.record(job_id)).status is JobStatus.PENDING
    assert (await desk.receive()).job_id == job_id


async def test_nothing_of_a_finished_job_is_left_but_its_outputs(desk: Desk) -> None:
    job = await geocode(with_maps(desk, CannedMaps()), rows(250))
    assert job.completed <= now()  # type: ignore[operator]  # it has ended
    assert [name for name in await desk.blobs(UPLOADS) if "geocode/" in name] == []
