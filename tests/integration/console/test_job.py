"""The page of one job."""

import json
from dataclasses import replace
from typing import Any

import pytest

from adapters.model.ticks import PER_SECOND, Ticks, format_ticks, parse_ticks
from adapters.tables.worker_rows import WorkerRow
from proxy.worker.job import now
from tests.integration.console.conftest import StartConsole
from tests.support.console import LiveConsole
from tests.support.fault_proxy import Hop, Mode
from tests.support.job_page import path_of, rows
from tests.support.storage import Storage, ago, date, int64
from tests.support.worker_desk import Desk, play, shops

HOSTILE = "<script>alert('x')</script>{{ 7 * 7 }}\"&amp;"


def test_a_finished_job_shows_its_life_counts_and_row(storage: Storage, console: LiveConsole) -> None:
    end = parse_ticks(ago(seconds=100))
    created, started, completed = (date(format_ticks(Ticks(end - back * PER_SECOND))) for back in (400, 300, 0))
    job_id = storage.job(
        CreatedDate=created.value,
        StartedDate=started,
        CompletedDate=completed,
        Attempts=2,
        Worker="host:7:aabbcc",
        DataSourceName="Coffee Shops",
        Description="Shops of May",
        LegacyId="Bing17",
        TotalEntityCount=int64(1200),
        ProcessedEntityCount=int64(1200),
        FailedEntityCount=3,
    )
    path = path_of(storage, job_id)
    timeline = rows(console, path, "Timeline")
    assert {name: cells[1] for name, cells in timeline.items()} == {
        "Created": "",
        "Taken": "100 s",
        "Completed": "5 min",
        "In all": "7 min",
    }
    assert timeline["Taken"][2] == "Attempt 2 by worker host:7:aabbcc."
    page = console.page(path)
    facts = {each.xpath("string(dt)"): each.xpath("string(dd)") for each in page.xpath("//dl/div")}
    assert facts == {
        "Id": job_id,
        "Id at Bing": "Bing17",
        "Data source": "Coffee Shops",
        "Description": "Shops of May",
        "Entities in all": "1,200",
        "Done": "1,200",
        "Failed": "3",
    }
    assert page.xpath("//a[@id='source']/@href") == [f"/accounts/{storage.account}/sources/Coffee%20Shops"]
    assert not page.xpath("//*[@hx-get] | //a[@id='retry'] | //a[@id='abort']")
    row = rows(console, path, "Properties of the row")
    assert row["RowKey"] == ["String", job_id]
    assert row["TotalEntityCount"] == ["Int64", "1200"]
    assert row["Attempts"] == ["Int32", "2"]
    assert {"Timestamp", "CreatedDate", "Worker"} <= row.keys()


def test_a_job_is_found_by_each_form_of_its_id(storage: Storage, console: LiveConsole) -> None:
    job_id = storage.job(LegacyId="Old Id~1")
    storage.alias("alias:id:old id~1", job_id)
    for other in (job_id.upper(), "Old%20Id~1", "old id~1"):
        response = console.get(path_of(storage, other))
        assert (response.status_code, response.headers["Location"]) == (303, path_of(storage, job_id))


def test_a_job_of_another_account_is_no_page(storage: Storage, open_console: StartConsole) -> None:
    other = replace(storage, account=f"{storage.account}-b")
    job_id = other.job()
    console = open_console(
        storage, accounts={other.account: {"storage": {"connection_string": storage.connection_string}}}
    )
    for path in ("", "/retry", "/abort", "/outputs/succeeded"):
        assert console.get(path_of(other, job_id)).status_code == 200
        response = console.get(path_of(storage, job_id) + path)
        assert (response.status_code, "has no job" in response.text) == (404, True)
    response = console.get(f"/accounts/nobody/jobs/{job_id}")
    assert (response.status_code, "no account of this name" in response.text) == (404, True)


@pytest.mark.parametrize("job_id", ["x", "0" * 32, "alias:id:x", "%00", "%23%3F", "..", "x" * 5000, "%f0%9f%98%80"])
def test_an_id_that_is_none_is_a_page_with_a_sentence(storage: Storage, console: LiveConsole, job_id: str) -> None:
    response = console.client.get(console.url + path_of(storage, job_id).replace("..", "%2e%2e"))
    assert (response.status_code, "<h1>This did not work</h1>" in response.text) == (404, True)


def test_a_row_that_cannot_be_read_is_shown_as_it_is(storage: Storage, console: LiveConsole) -> None:
    work = {"master_key": "sha256:" + "5e" * 32, "location": "https://u:hunter2@x.example/?sig=c2ln"}
    job_id = storage.job("<b>Nope</b>", Work=json.dumps(work), Status=int64(2**40))
    path = path_of(storage, job_id)
    assert "The row can't be read: Status is missing or of a wrong type." in console.text(path)
    row = rows(console, path, "Properties of the row")
    assert row["JobType"] == ["String", "<b>Nope</b>"]
    assert row["Status"] == ["Int64", str(2**40)]
    assert not any(secret in console.get(path).text for secret in ("5e5e", "hunter2", "c2ln"))
    for change in ("retry", "abort"):
        response = console.get(f"{path}/{change}")
        assert (response.status_code, "The job can&#39;t be shown" in response.text) == (409, True)


def test_hostile_texts_are_shown_as_text(storage: Storage, console: LiveConsole) -> None:
    names = ("DataSourceName", "Description", "ErrorMessage", "LegacyId", "AccessId", "Worker", "Try", "Message", "Odd")
    work = {"operation": HOSTILE, "location": f"https://x.example/{HOSTILE}", "upload": f"uploads/x/{HOSTILE}"}
    properties: dict[str, Any] = dict.fromkeys(names, HOSTILE) | {"StartedDate": date(ago(minutes=1))}
    for status in ("Pending", "Aborted"):
        job_id = storage.job("DataSourceComplete", status, Work=json.dumps(work), **properties)
        response = console.get(path_of(storage, job_id))
        assert response.status_code == 200
        assert "<script>alert" not in response.text
        page = console.page(path_of(storage, job_id))
        assert page.text_content().count(HOSTILE) > len(names)
        (target,) = page.xpath("//a[@id='source']/@href")
        assert target.startswith(f"/accounts/{storage.account}/sources/%3Cscript%3E")
        assert target.count("/") == 4


def test_secrets_in_any_text_are_masked(storage: Storage, console: LiveConsole) -> None:
    secret = "see https://x.example/?sig=c2lnbmF0dXJl and AccountKey=c2lnbmF0dXJl"  # noqa: S105 - what must not show
    job_id = storage.job(
        ErrorMessage=secret,
        Description=secret,
        DataSourceName=secret,
        AccessId=secret,
        LegacyId=secret,
        OutputBlob="exports/x?sig=c2lnbmF0dXJl",
        Work=json.dumps({"input": secret}),
        Other=secret,
    )
    broken = path_of(storage, storage.job("https://x/?sig=c2lnbmF0dXJl"))
    for path in (path_of(storage, job_id), broken, f"{broken}/retry", f"{broken}/abort", "/jobs"):
        assert "c2lnbmF0dXJl" not in console.get(path).text


def test_half_a_character_in_a_row_hurts_no_page(storage: Storage, console: LiveConsole) -> None:
    work = {"operation": "\ud800", "location": "https://x.example/\udfff"}
    job_id = storage.job(DataSourceName="\ud800", ErrorMessage="\ud800", Work=json.dumps(work))
    assert console.get("/jobs").status_code == 200
    assert "DataSourceComplete" in console.text(path_of(storage, job_id))


def test_a_pending_job_is_read_again_until_it_has_ended(storage: Storage, console: LiveConsole) -> None:
    seen: list[str] = []

    async def story(desk: Desk) -> None:
        job_id = await desk.load(shops("1", "2"))
        path = path_of(storage, job_id)
        (live,) = console.page(path).xpath("//*[@hx-get]")
        assert (live.get("hx-get"), live.get("hx-trigger"), live.get("id")) == (path, "every 5s", "live")
        assert rows(console, path, "Timeline")["Waits for a worker"][0] == "now"
        await desk.account.jobs.update_progress(job_id, 500, 100, 1)
        assert console.page(path).xpath("//progress/@value") == ["100"]
        await desk.work()
        seen.append(path)

    play(storage, story)
    page = console.page(seen[0])
    assert not page.xpath("//*[@hx-get]")
    assert "Completed" in rows(console, seen[0], "Timeline")


def test_a_running_job_of_another_program_names_no_worker(storage: Storage, console: LiveConsole) -> None:
    path = path_of(storage, storage.job(status="Running", StartedDate=date(ago(minutes=1))))
    assert rows(console, path, "Timeline")["Taken"][1:] == ["59 min", ""]


def test_a_running_job_says_whether_its_worker_lives(storage: Storage, console: LiveConsole) -> None:
    properties: dict[str, Any] = {"Worker": "host:7:aabbcc", "StartedDate": date(ago(minutes=1)), "Attempts": 1}
    path = path_of(storage, storage.job(status="Pending", **properties))
    assert "gives no sign of life" in rows(console, path, "Timeline")["Taken"][2]

    async def story(desk: Desk) -> None:
        await desk.account.workers.write(WorkerRow("host:7:aabbcc", now(), "1"))

    play(storage, story)
    assert "Its last sign of life was" in rows(console, path, "Timeline")["Taken"][2]


def test_an_upload_that_is_gone_is_said_and_the_job_cannot_be_tried_again(
    storage: Storage, console: LiveConsole
) -> None:
    ids: list[str] = []

    async def story(desk: Desk) -> None:
        ids.append((await desk.done(desk.load(b"nonsense"))).row_key)

    play(storage, story)
    path = path_of(storage, ids[0])
    assert rows(console, path, "Files")["Upload"] == ["stored", "8 bytes", f"uploads/{storage.account}/{ids[0]}"]
    assert console.page(path).xpath("//a[@id='retry']")
    storage.blobs.get_blob_client("uploads", f"{storage.account}/{ids[0]}").delete_blob()
    assert rows(console, path, "Files")["Upload"][0].startswith("gone")
    assert not console.page(path).xpath("//a[@id='retry']")
    refusal = "This job can't be tried again. The data that was sent for the job is not there any more."
    assert refusal in console.text(path)
    response = console.get(f"{path}/retry")
    assert (response.status_code, "is not there any more" in response.text) == (409, True)


@pytest.mark.usefixtures("no_retries")
def test_dead_blob_storage_leaves_the_row(storage: Storage, open_console: StartConsole) -> None:
    job_id = storage.job(status="Aborted", FailedBlob="exports/x.txt", Work='{"upload": "uploads/a/b"}')
    with Hop.before(storage, "Blob") as hop:
        entry = {"storage": {"connection_string": hop.connection_string}}
        console = open_console(storage, accounts={storage.account: entry})
        hop.mode = Mode.REFUSE
        text = console.text(path_of(storage, job_id))
    assert "Storage: unreachable" in text
    assert "What to do: check the endpoint" in text
    assert "This job can't be tried again. Storage does not say" in text
    assert job_id in text


def test_a_job_that_no_worker_can_run_says_so(storage: Storage, console: LiveConsole) -> None:
    note = rows(console, path_of(storage, storage.job(status="Pending")), "Timeline")["Waits for a worker"][2]
    assert note == "Another program wrote this job, so no worker here runs it. End it where it is not needed."
