"""The pages that load a file: what reading it finds is what its job will say."""

import gzip
import re
from collections.abc import Iterator

import pytest

from adapters.model.jobs import JobRecord, JobStatus
from tests.integration.console.conftest import StartConsole
from tests.support.console import LiveConsole
from tests.support.opened_account import run
from tests.support.sent_loads import SentPage, post_file, send_file
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, play, shops
from tests.unit.formats.loading import zipped
from tests.unit.formats.samples import FOURTH_COFFEE, separated
from tests.unit.formats.shapefiles import NAME, dbf, packed, point, shp

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
    "a ZIP file that claims two gigabytes": (
        zipped(("a.csv", shops("a"))).replace(len(shops("a")).to_bytes(4, "little"), (2**31).to_bytes(4, "little")),
        "csv",
    ),
    "blanks": (b"  \n", "kml"),
}


@pytest.fixture(autouse=True)
def _prepared(storage: Storage) -> None:
    """The server creates the table of data sources and the queue; here nobody else does."""

    async def nothing(_account: object) -> None: ...

    run(storage, nothing)


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
    counts = [int(each) for each in re.findall(r"(\d+) of (\d+) entities|All (\d+)", sent.text)[0] if each]
    errors, entities = sent.errors, int(sent.fact("Entities in the new version"))
    shown = sent.rows
    job, log = do_job(storage, sent.load())
    assert job.status is JobStatus.COMPLETED
    assert counts == ([job.failed, job.processed] if job.failed else [job.processed])
    assert (errors, entities, len(shown) - 1) == (log, job.processed - job.failed, entities)


@pytest.mark.parametrize("case", BAD)
def test_what_the_job_would_refuse_cant_be_loaded(case: str, console: LiveConsole, storage: Storage) -> None:
    data, form = BAD[case]
    sent = send_file(console, storage.account, data, input=form)
    job, log = load_by_job(storage, data, input=form)
    assert job.status is JobStatus.ABORTED
    assert (sent.problem, sent.errors, sent.can_load) == (job.error_message, log, False)
    before = storage.table.query_entities("")
    response = console.post(f"{sent.path}/job", {"csrf": console.csrf("/load")})
    assert response.headers["Location"] == sent.path
    assert len(list(storage.table.query_entities(""))) == len(list(before))
