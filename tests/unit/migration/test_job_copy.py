"""Jobs that can't be copied are named, and tried again by the next run; the others are copied."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from adapters.model.jobs import BlobPath, JobRecord, JobStatus, JobType
from adapters.model.ticks import Ticks
from adapters.tables.properties import MalformedRowError
from proxy.migration.errors import NotCopiedError
from proxy.migration.job_copy import JobCopier
from proxy.migration.source_account import SourceAccount
from proxy.migration.state import MigrationState, open_state
from proxy.migration.target_account import TargetAccount
from proxy.wire.envelope import Authentication, Envelope
from proxy.wire.resources import JobResource, Link, ResourceType
from tests.unit.migration.test_asking import Lines


def resource(job_id: str, *links: Link, description: str = "Geocode") -> JobResource:
    return JobResource(
        resource_type=ResourceType.DATAFLOW_JOB,
        id=job_id,
        status="Completed",
        created=Ticks(6 * 10**17),
        description=description,
        links=links,
    )


class Service:
    """Lists these jobs; `outputs` are what links lead to."""

    def __init__(self, *jobs: JobResource, **outputs: bytes | Exception) -> None:
        self.jobs = jobs
        self.outputs = outputs

    async def list_jobs(self) -> Envelope:
        return Envelope(
            status_code=200,
            status_description="OK",
            authentication=Authentication.VALID,
            copyright="",
            brand_logo_uri="",
            trace_id="",
            resources=self.jobs,
        )

    async def get_job(self, record: JobRecord) -> JobResource | None:
        return next(job for job in self.jobs if job.id == record.public_id)

    async def fetch(self, url: str, file: Path) -> int | None:
        output = self.outputs.get(url)
        if isinstance(output, Exception):
            raise output
        return None if output is None else await asyncio.to_thread(file.write_bytes, output)


class Rows:
    """The job rows here."""

    def __init__(self) -> None:
        self.written: dict[str, JobRecord] = {}
        self.broken: set[str] = set()

    async def get(self, job_id: str) -> JobRecord | None:
        if job_id in self.broken:
            raise MalformedRowError("no Status")
        return self.written.get(job_id)

    async def upsert(self, records: Sequence[JobRecord]) -> None:
        self.written |= {record.public_id: record for record in records}


class Here:
    """This side."""

    def __init__(self) -> None:
        self.rows = Rows()
        self.account = SimpleNamespace(name="contoso", jobs=self.rows)
        self.names: list[str] = []

    async def upload_output(self, _file: Path, _job: JobRecord, name: str) -> BlobPath:
        self.names.append(name)
        return BlobPath("exports", name)


def copy(service: Service, here: Here, state: MigrationState) -> Any:
    copier = JobCopier(cast("SourceAccount", service), cast("TargetAccount", here), state, Lines())

    async def run() -> None:
        await copier.copy(copier.find_new(await copier.read_list()))

    asyncio.run(run())
    return copier.counts


@pytest.fixture
def state(tmp_path: Path) -> Any:
    with open_state(tmp_path, "https://service.example", "contoso") as opened:
        yield opened


def output(url: str, name: str = "succeeded") -> Link:
    return Link("output", url, name)


def test_outputs_are_named_by_what_they_hold(state: MigrationState) -> None:
    jobs = [
        resource("a", output("xml"), output("text", "failed")),
        resource("b", output("text", "failed"), description="DataSourceComplete"),
        resource("c", output("gone")),
    ]
    here = Here()
    counts = copy(Service(*jobs, xml=b"\xef\xbb\xbf <a/>", text=b"line 1"), here, state)
    assert sorted(here.names) == ["failed.txt", "job-failed.txt", "succeeded.xml"]
    assert (counts.listed, counts.written, counts.outputs, counts.problems) == (3, 3, 3, [])
    assert here.rows.written["a"].output_blob == BlobPath("exports", "succeeded.xml")
    assert here.rows.written["c"].output_blob is None
    assert state.jobs == {"a", "b", "c"}


def test_a_job_that_fails_is_named_and_is_tried_again(state: MigrationState) -> None:
    here = Here()
    here.rows.broken.add("c")
    jobs = [resource("a", output("x")), resource("b", output("y")), resource("c")]
    counts = copy(Service(*jobs, x=NotCopiedError("it breaks off"), y=b"<a/>"), here, state)
    assert sorted(counts.problems) == ["job a: it breaks off", "job c: no Status"]
    assert (set(here.rows.written), state.jobs) == ({"a", "b"}, {"b"})
    assert here.rows.written["a"].output_blob is None
    here.rows.broken.clear()
    assert copy(Service(*jobs, x=b"<a/>"), here, state).written == 2
    assert here.rows.written["a"].output_blob is not None


def test_a_job_of_this_side_stays_as_it_is(state: MigrationState) -> None:
    here = Here()
    own = JobRecord(row_key="a", job_type=JobType.GEOCODE, status=JobStatus.PENDING, created=Ticks(0))
    here.rows.written["a"] = own
    assert copy(Service(resource("a", output("x")), x=b"<a/>"), here, state).written == 0
    assert here.rows.written["a"] == own


def test_a_job_that_is_no_job_of_the_api_stops_no_other(state: MigrationState) -> None:
    here = Here()
    counts = copy(Service(resource("a", description="Nonsense"), resource("b")), here, state)
    (problem,) = counts.problems
    assert problem.startswith("job a: its description is no job type")
    assert (counts.listed, set(here.rows.written)) == (2, {"b"})


def test_a_list_that_the_service_refuses_is_a_problem_and_no_end(state: MigrationState) -> None:
    class Refusing(Service):
        async def list_jobs(self) -> Envelope:
            raise NotCopiedError("HTTP 400")

    assert copy(Refusing(), Here(), state).problems == ["the job list can't be copied: HTTP 400"]
