"""Trying a job again and ending it, from the page that asks to the worker."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from adapters.errors import ConflictError
from adapters.model.job_ids import new_job_id
from adapters.model.jobs import JobStatus
from adapters.model.ticks import parse_ticks
from adapters.tables.job_changes import JobChanges
from tests.integration.console.conftest import StartConsole
from tests.support.console import LiveConsole
from tests.support.fault_proxy import Hop, Mode
from tests.support.job_page import path_of
from tests.support.live import WAIT_SECONDS, wait_for
from tests.support.storage import Storage, ago, date
from tests.support.worker_desk import Desk, play, shops


def audited(console: LiveConsole) -> list[list[str]]:
    """Who, what, on, before and after of the changes, the newest first."""
    return [[cell.text_content() for cell in row][1:] for row in console.page("/audit").xpath("//tbody/tr")]


def test_a_job_is_tried_again_and_done(storage: Storage, console: LiveConsole) -> None:
    async def story(desk: Desk) -> None:
        job_id = await desk.load(shops("1"), name="Cafes")
        await desk.account.blobs.delete(next(iter(await desk.account.blobs.list_blobs("uploads", storage.account))))
        aborted = await desk.done(asyncio.sleep(0, job_id))
        assert aborted.status is JobStatus.ABORTED
        path = path_of(storage, job_id)
        assert not console.page(path).xpath("//a[@id='retry']")
        storage.blobs.get_blob_client("uploads", f"{storage.account}/{job_id}").upload_blob(shops("1"))
        (target,) = console.page(path).xpath("//a[@id='retry']/@href")
        asked = console.text(target)
        assert all(part in asked for part in ("Try the job again", job_id, "Cafes", "Aborted"))
        response = console.confirm(target)
        assert (response.status_code, response.headers["Location"]) == (303, f"{path}?notice=retried")
        assert "The job is Pending again." in console.text(f"{path}?notice=retried")
        assert (await desk.record(job_id)).status is JobStatus.PENDING
        await desk.work()
        assert (await desk.record(job_id)).status is JobStatus.COMPLETED
        assert "Completed" in console.text(path)
        assert audited(console)[0] == [
            "olga@example.com",
            "jobs retry",
            job_id,
            f"Aborted: {aborted.error_message}",
            "Pending",
        ]

    play(storage, story)


def test_a_job_is_ended_and_no_worker_does_it(storage: Storage, console: LiveConsole) -> None:
    async def story(desk: Desk) -> None:
        job_id = await desk.load(shops("1"))
        path = path_of(storage, job_id)
        (target,) = console.page(path).xpath("//a[@id='abort']/@href")
        response = console.confirm(target)
        assert (response.status_code, response.headers["Location"]) == (303, f"{path}?notice=aborted")
        text = console.text(f"{path}?notice=aborted")
        assert "Ended by the operator." in text
        assert "The job is Aborted." in text
        await desk.work()
        assert (await desk.record(job_id)).status is JobStatus.ABORTED
        assert await desk.source() is None
        assert audited(console)[0][:4] == ["olga@example.com", "jobs abort", job_id, "Pending"]

    play(storage, story)


def test_a_job_of_another_program_can_be_ended(storage: Storage, console: LiveConsole) -> None:
    job_id = storage.job(status="Running")
    assert console.confirm(f"{path_of(storage, job_id)}/abort").status_code == 303
    row = storage.table.get_entity(storage.account, job_id)
    assert (row["Status"], row["ErrorMessage"]) == ("Aborted", "Ended by the operator.")
    text = console.text(path_of(storage, job_id))
    assert "This job can't be tried again. The job is another program's" in text


def test_a_change_that_comes_too_late_shows_a_sentence(storage: Storage, console: LiveConsole) -> None:
    for change, before, after, sentence in (
        ("abort", "Pending", "Completed", "The job has ended already: it is Completed."),
        ("retry", "Aborted", "Pending", "The job is Pending. Only an Aborted job can be tried again."),
    ):
        job_id = storage.job("DataSourceComplete", before, Work="{}")
        path = f"{path_of(storage, job_id)}/{change}"
        csrf = console.csrf(path)
        storage.row(job_id, Status=after, CompletedDate=date(ago(seconds=1)))
        response = console.post(path, {"csrf": csrf})
        assert (response.status_code, sentence in response.text) == (409, True), response.text
        assert console.get(path).status_code == 409


def test_writers_that_keep_changing_the_row_are_a_sentence(
    storage: Storage, console: LiveConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def conflict(*_: object) -> bool:
        raise ConflictError("other writers kept changing the job's row")

    monkeypatch.setattr(JobChanges, "complete", conflict)
    response = console.confirm(f"{path_of(storage, storage.job(status='Pending'))}/abort")
    assert (response.status_code, "The job was changed meanwhile" in response.text) == (409, True)


def test_a_change_without_the_session_s_token_changes_nothing(storage: Storage, console: LiveConsole) -> None:
    job_id = storage.job(status="Pending", Work="{}")
    for form in ({}, {"csrf": "0" * 64}):
        assert console.post(f"{path_of(storage, job_id)}/abort", form).status_code == 403
    assert storage.table.get_entity(storage.account, job_id)["Status"] == "Pending"


def test_a_read_only_console_offers_and_makes_no_change(storage: Storage, open_console: StartConsole) -> None:
    console = open_console(storage, console_read_only=True)
    for status, change in (("Pending", "abort"), ("Aborted", "retry")):
        job_id = storage.job("DataSourceComplete", status, Work="{}")
        path = path_of(storage, job_id)
        assert not console.page(path).xpath("//a[@id='retry'] | //a[@id='abort']")
        response = console.post(f"{path}/{change}", {"csrf": "x"})
        assert (response.status_code, "read-only" in response.text) == (403, True)
        assert storage.table.get_entity(storage.account, job_id)["Status"] == status


def test_the_old_id_of_a_job_can_be_used_for_changes(storage: Storage, console: LiveConsole) -> None:
    job_id = storage.job(status="Pending", LegacyId="Bing17")
    storage.alias("alias:id:bing17", job_id)
    response = console.confirm(f"{path_of(storage, 'BING17')}/abort")
    assert response.headers["Location"] == f"{path_of(storage, job_id)}?notice=aborted"


@pytest.mark.usefixtures("prepared")
def test_a_job_that_is_tried_again_is_noted_before_its_outputs_go(storage: Storage, open_console: StartConsole) -> None:
    job_id = new_job_id(parse_ticks(ago(minutes=5)))
    secret = "https://x.example/?sig=c2lnbmF0dXJl"  # noqa: S105 - what must not be in the row
    log = f"exports/{storage.account}/{job_id}/{'1' * 12}/log.txt"
    storage.job("DataSourceComplete", "Aborted", RowKey=job_id, Work="{}", FailedBlob=log, ErrorMessage=secret)
    noted = ["olga@example.com", "jobs retry", job_id, "Aborted: https://x.example/?...", "Pending"]
    with Hop.before(storage, "Blob") as hop, ThreadPoolExecutor(1) as pool:
        entry = {"storage": {"connection_string": hop.connection_string}}
        console = open_console(storage, accounts={storage.account: entry})
        hop.mode = Mode.HANG
        form = {"csrf": console.csrf("/load")}
        answer = pool.submit(console.post, f"{path_of(storage, job_id)}/retry", form)
        wait_for(lambda: audited(console) == [noted] or answer.done())
        assert (audited(console), answer.done()) == ([noted], False)
        hop.mode = Mode.REFUSE
        assert answer.result(WAIT_SECONDS).status_code == 303  # the cleanup takes them later
