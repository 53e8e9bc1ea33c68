"""Creating geocode jobs (geocode.md, section 1): what is stored and answered, odd forms of requests, refusals."""

import gzip
import io
import zipfile
from collections.abc import Iterator

import httpx
import pytest

from tests.conftest import StartServer
from tests.support.geocoding import create, maps_account, maps_server
from tests.support.live import MASTER, PUBLIC_URL, QUERY, LiveServer
from tests.support.storage import Storage
from tests.support.stored_jobs import Written

BODY = b"Bing Spatial Data Services, 2.0\nId,GeocodeRequest/Query\n1,Denver\n"
PATH = "/REST/v1/Dataflows/Geocode"


@pytest.fixture
def server(storage: Storage) -> Iterator[LiveServer]:
    """A server whose account has an Azure Maps."""
    with maps_server(storage, max_active_jobs=100) as started:
        yield started


def refused(response: httpx.Response) -> tuple[int, str]:
    (detail,) = response.json()["errorDetails"]
    return response.status_code, detail


def zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("data.csv", data)
    return out.getvalue()


def test_a_geocode_job_is_stored_queued_and_located(server: LiveServer, written: Written) -> None:
    response = create(server, BODY, description="My batch", clientApi="x")
    assert (response.status_code, response.json()["statusCode"]) == (201, 201)
    (job,) = response.json()["resourceSets"][0]["resources"]
    location = response.headers["location"]
    assert location == f"{PUBLIC_URL}/REST/v1/dataflows/Geocode/{job['id']}"
    assert job["links"] == [{"role": "self", "url": location}]
    assert job["__type"].startswith("DataflowJob:")
    assert (job["status"], job["description"]) == ("Pending", "My batch")
    assert [job[f"{which}EntityCount"] for which in ("failed", "processed", "total")] == [0, 0, 0]
    assert "completedDate" not in job
    row = written.job()
    assert (row["RowKey"], row["JobType"], row["Status"]) == (job["id"], "Geocode", "Pending")
    upload = f"uploads/{written.storage.account}/{job['id']}"
    assert row["Work"] == {"input": "csv", "upload": upload}
    assert written.upload(upload) == BODY
    assert written.queued() == [job["id"]]
    assert server.job(f"Dataflows/Geocode/{job['id']}")["status"] == "Pending"


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/plain; charset=utf-8",
        "text/plain, charset=UTF-8",
        "application/xml",
        "text/xml",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
        None,
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress, zipped, b"\xef\xbb\xbf".__add__])
def test_any_content_type_and_packing_is_taken(
    content_type: str | None, pack: type, server: LiveServer, written: Written
) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    body = pack(BODY)
    response = server.client.post(f"{server.url}{PATH}?input=CSV&key={MASTER}", content=body, headers=headers)
    assert response.status_code == 201
    assert written.upload(written.job()["Work"]["upload"]) == body
    assert written.job()["Work"]["input"] == "csv"


def test_a_client_that_expects_to_go_on_goes_on(server: LiveServer) -> None:
    head = f"POST {PATH}?input=csv&key={MASTER} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: "
    answer = server.raw(f"{head}{len(BODY)}\r\nConnection: close\r\n\r\n".encode(), BODY)
    assert answer.startswith(b"HTTP/1.1 100")
    assert b"HTTP/1.1 201" in answer


def test_the_answer_is_in_the_format_asked_for(server: LiveServer) -> None:
    response = create(server, BODY, o="xml")
    assert response.headers["content-type"].startswith("application/xml")
    assert b"<StatusCode>201</StatusCode>" in response.content


@pytest.mark.parametrize("form", ["xml", "csv", "tab", "pipe", "XML", "Pipe"])
def test_each_input_is_taken(form: str, server: LiveServer) -> None:
    assert create(server, BODY, form).status_code == 201


def test_data_elsewhere_is_noted(storage: Storage, written: Written) -> None:
    with maps_server(storage, data_location_hosts="data.example.com") as server:
        location = "https://data.example.com/batch.txt?sv=1&sig=a%2Bb"
        assert create(server, b"", "pipe", dataLocation=location).status_code == 201
        assert written.job()["Work"] == {"input": "pipe", "location": location}
        assert refused(create(server, BODY, "pipe", dataLocation=location))[0] == 400
        assert refused(create(server, b"", "pipe", dataLocation="https://10.0.0.1/x"))[0] == 400


@pytest.mark.parametrize(
    ("form", "body", "word"),
    [("kml", BODY, "input"), ("", BODY, "input"), ("shp", BODY, "input"), ("csv", b"", "no data")],
)
def test_a_bad_request_is_refused_in_words(form: str, body: bytes, word: str, server: LiveServer) -> None:
    status, detail = refused(create(server, body, form))
    assert (status, word in detail) == (400, True)


def test_a_bad_output_and_a_long_description_are_refused(server: LiveServer) -> None:
    assert refused(create(server, BODY, output="pdf"))[0] == 400
    assert refused(create(server, BODY, description="x" * 2049))[0] == 400


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
def test_no_other_method_creates_a_job(method: str, server: LiveServer) -> None:
    response = server.client.request(method, f"{server.url}{PATH}?input=csv&key={MASTER}")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(("key", "status"), [(MASTER, 201), (QUERY, 201), ("restricted", 401), ("unknown", 401)])
def test_any_key_without_patterns_creates_jobs(key: str, status: int, storage: Storage) -> None:
    with maps_server(storage, keys={"restricted": {"account": storage.account, "data_sources": ["Sh*"]}}) as server:
        assert create(server, BODY, key=key).status_code == status


def test_quotas_are_503_in_the_documented_words(storage: Storage) -> None:
    with maps_server(storage, max_active_jobs=2, max_jobs_per_day=3) as server:
        storage.job("DataSourceComplete", "Pending")
        assert create(server, BODY).status_code == 201
        response = create(server, BODY)
        assert refused(response) == (503, "JobUsageQuota: Account already has 2 'Pending' jobs.")
        assert int(response.headers["retry-after"]) > 0
        storage.job("Geocode", "Completed")
        assert refused(create(server, BODY)) == (
            503,
            "JobUsageQuota: Account has already submitted 3 jobs in the past 24 hours.",
        )


def test_too_large_a_body_is_refused(storage: Storage) -> None:
    with maps_server(storage, max_upload_mb=1) as server:
        assert refused(create(server, b"x" * (1024 * 1024 + 1)))[0] == 400


def test_an_account_without_azure_maps_cannot_geocode(storage: Storage, start: StartServer, written: Written) -> None:
    """J16."""
    response = create(start(storage), BODY)
    assert refused(response)[0] == 501
    assert response.json()["authenticationResultCode"] == "ValidCredentials"
    assert written.uploads() == []


def test_accounts_differ_in_what_they_have(storage: Storage, start: StartServer) -> None:
    other = {"other": maps_account(storage, "http://127.0.0.1:9")}
    server = start(storage, accounts=other, keys={"others": {"account": "other"}})
    assert create(server, BODY).status_code == 501
    assert create(server, b"", key="others").status_code == 400
