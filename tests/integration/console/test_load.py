"""The pages that load a file: what reading it finds is what its job will say."""

import gzip
import json
import re
from http.client import HTTPConnection

import pytest

from adapters.account import AccountStorage
from adapters.model.jobs import JobRecord, JobStatus
from adapters.model.ticks import FIRST
from adapters.tables.audit_rows import AuditEntry
from tests.conftest import StartServer
from tests.integration.console.conftest import StartConsole
from tests.support.console import LiveConsole
from tests.support.live import MASTER, QUERY
from tests.support.opened_account import run
from tests.support.sent_loads import SentPage, post_file, send_file
from tests.support.storage import Storage
from tests.support.stored_jobs import Written
from tests.support.worker_desk import LOCATION, Desk, play, shops
from tests.unit.formats.loading import zipped
from tests.unit.formats.samples import FOURTH_COFFEE, separated
from tests.unit.formats.shapefiles import NAME, dbf, packed, point, shp

pytestmark = pytest.mark.usefixtures("prepared", "readers")

KML = b"""<kml><Document>
<Placemark id="a"><name>One</name><Point><coordinates>1,2</coordinates></Point></Placemark>
<Placemark id="b"><name>Two</name><Point><coordinates>500,2</coordinates></Point></Placemark>
</Document></kml>"""

SHAPES = packed(shp(point(1, 2), point(3, 4)), dbf([NAME], [[b"first"], [b"other"]]))

GOOD = {
    "csv": (shops("a", "b", note="new"), "csv"),
    "csv with errors in several lines": (shops("a", "a", "b", "x" * 51, more="c,new,91,2\nd,new,1"), "csv"),
    "csv of lines without end": (shops("a", "b").replace(b"\n", b"\r\n"), "csv"),
    "gzip": (gzip.compress(shops("a", "b")), "csv"),
    "zip": (zipped(("shops.csv", shops("a", "b"))), "csv"),
    "a ZIP file that claims two gigabytes": (
        zipped(("a.csv", shops("a"))).replace(len(shops("a")).to_bytes(4, "little"), (2**31).to_bytes(4, "little")),
        "csv",
    ),
    "tab": (separated("\t"), "tab"),
    "pipe": (separated("|"), "pipe"),
    "xml": (FOURTH_COFFEE, "xml"),
    "kml": (KML, "kml"),
    "shapefile": (SHAPES, "shp"),
}
BAD = {
    "no entity is usable": (shops("x" * 51, "y" * 51), "csv"),
    "nonsense": (b"nonsense", "csv"),
    "the wrong format": (FOURTH_COFFEE, "csv"),
    "a workbook": (zipped(("xl/workbook.xml", b"<x/>")), "tab"),
    "broken xml": (FOURTH_COFFEE[:-40], "xml"),
    "broken gzip": (gzip.compress(shops("a", "b"))[:-9], "csv"),
    "blanks": (b"  \n", "kml"),
}


def do_job(storage: Storage, job_id: str) -> tuple[JobRecord, list[str]]:
    """The job when a worker has done it, and the lines of its error log."""
    ended: list[tuple[JobRecord, list[str]]] = []

    async def work(desk: Desk) -> None:
        await desk.work()
        job = await desk.record(job_id)
        ended.append((job, (await desk.text(job.failed_blob)).splitlines() if job.failed_blob else []))

    play(storage, work)
    return ended[0]


def load_by_job(storage: Storage, data: bytes, operation: str = "complete", **work: str) -> tuple[JobRecord, list[str]]:
    """The same of a job that no preview has looked at."""
    made: list[str] = []

    async def create(desk: Desk) -> None:
        made.append(await desk.load(data, operation, **work))

    play(storage, create)
    return do_job(storage, made[0])


@pytest.mark.parametrize("case", GOOD)
def test_the_preview_says_what_the_job_does(case: str, console: LiveConsole, storage: Storage) -> None:
    data, form = GOOD[case]
    sent = send_file(console, storage.account, data, input=form)
    assert sent.problem == ""
    good, read = re.findall(r"(\d+) of (\d+) entities can be loaded\.", sent.text)[0]
    errors, entities = sent.errors, int(sent.fact("Entities in the new version"))
    shown = sent.rows
    job, log = do_job(storage, sent.load())
    assert job.status is JobStatus.COMPLETED
    assert (int(good or read), int(read)) == (job.processed - job.failed, job.processed)
    assert (errors, entities, len(shown) - 1) == (log, job.processed - job.failed, entities)


@pytest.mark.parametrize("case", BAD)
def test_what_the_job_would_refuse_cant_be_loaded(case: str, console: LiveConsole, storage: Storage) -> None:
    data, form = BAD[case]
    sent = send_file(console, storage.account, data, input=form)
    job, log = load_by_job(storage, data, input=form)
    assert job.status is JobStatus.ABORTED
    assert (sent.problem, sent.errors, sent.can_load) == (job.error_message, log, False)
    response = console.post(f"{sent.path}/job", {"csrf": console.csrf("/load")})
    assert response.headers["Location"] == sent.path
    assert len(Written(storage).jobs()) == 1


def test_a_zip_file_that_unpacks_to_too_much_is_refused(storage: Storage, open_console: StartConsole) -> None:
    bomb = zipped(("shops.csv", shops("a", more="\n" * 30_000_000)))
    assert len(bomb) < 50_000
    sent = send_file(open_console(storage, max_upload_mb=1), storage.account, bomb)
    assert (sent.can_load, sent.problem) == (False, "The data is larger than 1,048,576 bytes, unpacked.")


def test_a_file_that_is_too_large_is_refused(storage: Storage, open_console: StartConsole) -> None:
    console = open_console(storage, max_upload_mb=1)
    response = post_file(console, storage.account, b"x" * (1024 * 1024 + 5))
    assert (response.status_code, "1,048,581 bytes; allowed are 1 MB" in response.text) == (400, True)
    assert Written(storage).nothing()


def test_a_claim_of_two_gigabytes_is_refused_at_once(console: LiveConsole) -> None:
    claim = HTTPConnection("127.0.0.1", console.port, timeout=60)
    headers = {"Origin": console.url, "Content-Length": str(2**31), "Content-Type": "multipart/form-data; boundary=x"}
    claim.request("POST", "/load/preview", headers=headers)
    answer = claim.getresponse()
    assert (answer.status, b"too large" in answer.read()) == (413, True)
    claim.close()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"datasourcename": "no such/name"}, "dataSourceName"),
        ({"datasourcename": ""}, "dataSourceName"),
        ({"loadoperation": "replace"}, "loadOperation"),
        ({"input": "xlsx"}, "input"),
        ({"setpublic": "maybe"}, "setPublic"),
        ({"description": "x" * 3000}, "description"),
        ({"accessid": "of-another"}, "no such data source"),
        ({"querykey": "no key of anybody"}, "not a key of the account"),
        ({"querykey": "of-another"}, "not a key of the account"),
        ({"account": "other"}, "no account of this name"),
    ],
)
def test_a_wrong_field_is_named_and_the_others_stay(
    fields: dict[str, str], words: str, storage: Storage, open_console: StartConsole
) -> None:
    other = {"storage": {"connection_string": storage.connection_string}}
    console = open_console(storage, accounts={"second": other}, keys={"of-another": {"account": "second"}})
    given = {"account": storage.account, "description": "<b>kept</b>"} | fields
    response = post_file(console, given.pop("account"), shops("a"), **given)
    assert (response.status_code, words in response.text) == (400, True)
    assert given["description"].replace("<", "&lt;").replace(">", "&gt;") in response.text
    assert fields.get("querykey", "absent") not in response.text
    assert Written(storage).nothing()


@pytest.mark.parametrize("data", [b"", None])
def test_a_form_without_data_is_refused(data: bytes | None, console: LiveConsole, storage: Storage) -> None:
    response = post_file(console, storage.account, data or b"", name="shops.csv" if data is not None else "")
    assert (response.status_code, "Choose a file" in response.text) == (400, True)


@pytest.mark.parametrize("body", [b"", b"nonsense", b"--x\r\nContent-Disposition: form-data\r\n\r\n"])
def test_a_broken_form_gets_a_page(body: bytes, console: LiveConsole) -> None:
    headers = {"Origin": console.url, "Content-Type": "multipart/form-data; boundary=x"}
    response = console.client.post(f"{console.url}/load/preview", content=body, headers=headers)
    assert response.status_code in {400, 403}
    assert "<h1>This did not work</h1>" in response.text


def test_a_form_of_another_session_is_refused(console: LiveConsole, storage: Storage) -> None:
    response = post_file(console, storage.account, shops("a"), csrf="0" * 64)
    assert (response.status_code, "another session" in response.text) == (403, True)


def test_the_job_is_the_one_of_a_request(storage: Storage, start: StartServer, open_console: StartConsole) -> None:
    server, console, written = start(storage), open_console(storage), Written(storage)
    data = gzip.compress(shops("a", "b"))
    fields = {"loadoperation": "completeStaging", "description": "My shops", "accessid": "", "querykey": QUERY}
    parameters = {"dataSourceName": "Shops", "loadOperation": "completeStaging", "input": "csv"} | {
        "description": "My shops", "key": MASTER, "queryKey": QUERY, "setPublic": "true",
    }  # fmt: skip
    url = f"{server.url}/REST/v1/Dataflows/LoadDataSource"
    assert server.client.post(url, params=parameters, content=data).status_code == 201
    (by_request,) = written.jobs()
    job_id = send_file(console, storage.account, data, setpublic="true", **fields).load()
    (by_console,) = (row for row in written.jobs() if row["RowKey"] == job_id)
    assert written.queued() == [by_request["RowKey"], job_id]
    for row in (by_request, by_console):
        assert row["Work"]["upload"] == f"uploads/{storage.account}/{row['RowKey']}"
        assert written.upload(row["Work"].pop("upload")) == data
        assert row["Work"].pop("access_id") == row.pop("AccessId")
        for name in ("RowKey", "CreatedDate"):
            row.pop(name)
    # The console has no master key, and nobody needs the digest of one.
    assert by_request["Work"].pop("master_key")
    assert by_console["Work"].pop("master_key") is None
    assert by_request == by_console


def test_a_load_leaves_a_row_of_who_did_it(console: LiveConsole, storage: Storage) -> None:
    job_id = send_file(console, storage.account, shops("a")).load()
    entries: list[AuditEntry] = []

    async def read(account: AccountStorage) -> None:
        entries.extend(await account.audit.list_since(FIRST))

    run(storage, read)
    ((who, what, on, before, after),) = [(each.who, each.what, each.on, each.before, each.after) for each in entries]
    assert (who, what, on) == ("olga@example.com", "sources load complete", "Shops")
    assert (before, after) == ("not published", f"job {job_id}")


def test_an_update_is_read_with_the_version_that_it_updates(console: LiveConsole, storage: Storage) -> None:
    nothing = send_file(console, storage.account, shops("a"), loadoperation="incremental")
    assert nothing.problem == load_by_job(storage, shops("a"), "incremental")[0].error_message
    load_by_job(storage, shops("a", "b", "c"))
    other = send_file(console, storage.account, separated(","), loadoperation="incremental")
    assert other.problem == load_by_job(storage, separated(","), "incremental")[0].error_message
    update = shops("b", "d", note="new", more="e,new,95,2")
    sent = send_file(console, storage.account, update, loadoperation="incremental")
    assert (sent.fact("Data source now"), sent.fact("Entities in the new version")) == ("entities: 3", "4")
    assert [row[0] for row in sent.rows] == ["Id", "b", "d"]
    errors = sent.errors
    job, log = do_job(storage, sent.load())
    assert (job.processed, job.failed, log) == (3, 1, errors)
    assert errors[0].startswith("line 5, id e: ")


def test_an_update_reads_no_version_of_another_account(console: LiveConsole, storage: Storage) -> None:
    load_by_job(storage, shops("a"))
    row = dict(storage.data_source("shops"))
    del row["PartitionKey"], row["RowKey"]
    version = json.loads(str(row["Published"]))
    content = storage.blob(*version["blob"].split("/", 1))
    assert content is not None
    other = f"{storage.account}-b/shops/x.parquet"
    storage.blobs.get_blob_client("datasources", other).upload_blob(content)
    row["Published"] = json.dumps(version | {"blob": f"datasources/{other}"})
    storage.data_source_row("shops", **row)
    sent = send_file(console, storage.account, shops("b"), loadoperation="incremental")
    assert "not this account's" in str(sent.problem)


def test_a_file_that_only_deletes_is_shown_as_such(console: LiveConsole, storage: Storage) -> None:
    load_by_job(storage, shops("a", "b"))
    data = b"Bing Spatial Data Services, 1.0, Shops\nId(Edm.String,primaryKey),__deleteEntity(Edm.Boolean)\na,1\n"
    sent = send_file(console, storage.account, data, loadoperation="incremental")
    assert (sent.problem, sent.rows) == ("", [])
    assert "only deletes" in sent.text
    assert sent.fact("Entities in the new version") == "1"


def test_the_first_entities_and_the_schema_are_shown(console: LiveConsole, storage: Storage) -> None:
    sent = send_file(console, storage.account, FOURTH_COFFEE, input="xml")
    rows = [dict(zip(sent.rows[0], row, strict=True)) for row in sent.rows[1:]]
    assert rows[0]["AddressLine"] == "Løven"
    assert rows[0]["StoreLayout"].startswith("POLYGON ((9.86445 57.13876")
    assert rows[0]["CreatedDate"] == "2010-11-11T01:19:36.4350494Z"
    assert [row["StoreLayout"] for row in rows][1] == "none"
    assert ["EntityID key", "Edm.String"] in sent.schema
    assert sent.fact("Entity type") == "FourthCoffeeShops"


def test_much_of_everything_is_bounded(console: LiveConsole, storage: Storage) -> None:
    names = ",".join(f"Property{number}(Edm.String)" for number in range(300))
    head = f"Bing Spatial Data Services, 1.0, Shops\nId(Edm.String,primaryKey),{LOCATION},{names}"
    value = "<i>" * 300
    good = [f"id{number},1,2{f',{value}' * 300}" for number in range(30)]
    bad = [f"bad{number},100,2{',x' * 300}" for number in range(1000)]
    sent = send_file(console, storage.account, "\n".join([head, *good, *bad]).encode())
    assert (len(sent.rows), len(sent.rows[0]), len(sent.schema), len(sent.errors)) == (21, 30, 303, 200)
    assert "273 more properties" in sent.text
    assert "800 more than the first 200" in sent.text
    assert len(console.get(sent.path).content) < 200_000
    log = console.get(f"{sent.path}/errors")
    assert (log.text.count("\n"), log.headers["Content-Type"]) == (1000, "text/plain; charset=utf-8")
    assert log.headers["Content-Disposition"] == 'attachment; filename="errors.txt"'


def test_names_of_strangers_are_shown_as_text(console: LiveConsole, storage: Storage) -> None:
    data = shops("<script>alert(1)</script>", "x" * 51, note="<img src=x onerror=y>")
    name = "../../<b>\x00\u202e.csv"
    response = post_file(console, storage.account, data, name=name, description="<u>d</u>")
    page = console.get(response.headers["Location"]).text
    for text in ("<script>alert", "<img", "<b>", "<u>", "\u202e"):
        assert text not in page
    sent = SentPage(console, response.headers["Location"])
    assert "../../<b>" in sent.fact("File")
    assert sent.rows[1][:2] == ["<script>alert(1)</script>", "<img src=x onerror=y>"]


def test_names_of_columns_are_text_too(console: LiveConsole, storage: Storage) -> None:
    data = b"Bing Spatial Data Services, 1.0, <b>T</b>\nId(Edm.String,primaryKey),<b>x</b>(Edm.String)\na,b\n"
    sent = send_file(console, storage.account, data)
    assert sent.problem
    assert "<b>" not in console.get(sent.path).text
