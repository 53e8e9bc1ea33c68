"""Creating load jobs: what is stored, what is answered (Create a Load Data Source Job and Input Entity Data)."""

import gzip
import re
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from typing import Any

import httpx
import pytest
from lxml import etree

from proxy.api import auth_throttle as guessing
from proxy.api import authenticate
from tests.conftest import StartServer
from tests.support.live import MASTER, PUBLIC_URL, QUERY, LiveServer
from tests.support.storage import Storage, ago
from tests.support.stored_jobs import ACCESS_ID, Written, source

XML = b"<?xml version='1.0'?><Shops />"
LOAD = {"dataSourceName": "Shops", "loadOperation": "complete", "input": "xml"}
DIGEST = f"sha256:{sha256(MASTER.encode()).hexdigest()}"


def load(server: LiveServer, content: Any = XML, key: str | None = MASTER, **parameters: str) -> httpx.Response:
    query = LOAD | parameters | ({} if key is None else {"key": key})
    return server.client.post(f"{server.url}/REST/v1/Dataflows/LoadDataSource", params=query, content=content)


def refused(response: httpx.Response) -> tuple[int, str]:
    (detail,) = response.json()["errorDetails"]
    return response.status_code, detail


def test_a_load_is_stored_queued_and_located(server: LiveServer, written: Written) -> None:
    response = load(server, setPublic="1", description="My shops")
    assert (response.status_code, response.json()["statusCode"]) == (201, 201)
    assert response.json()["statusDescription"] == "Created"
    (job,) = response.json()["resourceSets"][0]["resources"]
    location = response.headers["location"]
    assert location == f"{PUBLIC_URL}/REST/v1/dataflows/LoadDataSource/{job['id']}"
    assert job["links"] == [{"role": "self", "url": location}]
    assert job["__type"].startswith("DataflowJob:")
    assert (job["status"], job["description"], job["totalEntityCount"]) == ("Pending", "My shops", 0)
    row = written.job()
    assert (row["RowKey"], row["JobType"], row["Status"]) == (job["id"], "DataSourceComplete", "Pending")
    assert (row["DataSourceName"], row["Description"]) == ("Shops", "My shops")
    work = row["Work"]
    assert re.fullmatch("[0-9a-f]{32}", work["access_id"])
    assert work == {
        "operation": "complete",
        "input": "xml",
        "upload": f"uploads/{written.storage.account}/{job['id']}",
        "public": True,
        "access_id": row["AccessId"],
        "master_key": DIGEST,
        "query_key": None,
    }
    assert MASTER not in str(row)
    assert written.upload(work["upload"]) == XML
    assert written.queued() == [job["id"]]
    answer = server.client.get(location.replace(PUBLIC_URL, server.url) + f"?output=json&key={MASTER}")
    assert answer.json()["resourceSets"][0]["resources"][0]["status"] == "Pending"


def test_the_response_is_xml_on_request(server: LiveServer, written: Written) -> None:
    response = load(server, o="xml")
    root = etree.fromstring(response.content)
    assert (response.status_code, root.findtext("{*}StatusCode")) == (201, "201")
    (job,) = root.iterfind(".//{*}Resources/*")
    names = ["Id", "Link", "Status", "CreatedDate", "CompletedDate"]
    assert [etree.QName(child).localname for child in job][:5] == names
    assert job.findtext("{*}Link") == response.headers["location"]
    assert written.job()["RowKey"] == job.findtext("{*}Id")


BODIES: dict[str, tuple[Any, str]] = {
    "gzip": (gzip.compress(XML), "application/xml"),
    "zip": (b"PK\x03\x04" + bytes(range(256)), "application/octet-stream"),
    "a form": (XML, "application/x-www-form-urlencoded"),
    "no type": (XML, ""),
    "one byte": (b"\x00", "text/plain"),
}


@pytest.mark.parametrize(("content", "content_type"), BODIES.values(), ids=BODIES.keys())
def test_a_body_is_stored_as_it_is(content: bytes, content_type: str, server: LiveServer, written: Written) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    url = f"{server.url}/REST/v1/dataflows/loaddatasource/"
    response = server.client.post(url, params=LOAD | {"KEY": MASTER}, content=content, headers=headers)
    assert response.status_code == 201
    assert written.upload(written.job()["Work"]["upload"]) == content


def pieces(*sent: bytes) -> Iterator[bytes]:
    yield from sent


def test_a_body_may_come_in_chunks(server: LiveServer, written: Written) -> None:
    assert load(server, pieces(*[b"x" * 100_000] * 50)).status_code == 201
    assert len(written.upload(written.job()["Work"]["upload"])) == 5_000_000
    assert server.get("Dataflows/ListJobs").status_code == 200


def test_the_data_may_lie_in_the_accounts_own_blobs(server: LiveServer, written: Written) -> None:
    parts = dict(part.partition("=")[::2] for part in written.storage.connection_string.split(";"))
    location = parts["BlobEndpoint"] + "/data/shops.xml?sig=a%2Bb"
    assert load(server, b"", dataLocation=location).status_code == 201
    work = written.job()["Work"]
    assert (work["location"], "upload" in work) == (location, False)
    assert load(server, pieces(), dataLocation=location).status_code == 201


def test_the_data_may_lie_on_a_host_that_is_allowed(storage: Storage, start: StartServer) -> None:
    server = start(storage, data_location_hosts="data.example.net")
    assert load(server, b"", dataLocation="https://data.example.net/shops.xml").status_code == 201
    for location in ("http://data.example.net/a", "https://evil.example.net/a", "https://127.0.0.1/a", "nonsense"):
        status, detail = refused(load(server, b"", dataLocation=location))
        assert (status, "dataLocation" in detail) == (400, True)
        assert location not in detail
    assert len(Written(storage).jobs()) == 1


def test_data_in_two_places_or_none_is_refused(server: LiveServer, written: Written) -> None:
    location = "https://data.example.net/a"
    for content in (XML, pieces(XML)):
        assert refused(load(server, content, dataLocation=location))[0] == 400
    for content in (b"", pieces(), pieces(b"")):
        status, detail = refused(load(server, content))
        assert (status, "no data" in detail) == (400, True)
    assert written.nothing()


@pytest.mark.parametrize("missing", LOAD)
def test_a_parameter_that_is_missing_is_named(missing: str, server: LiveServer, written: Written) -> None:
    for value in ("", "no-such/value"):
        status, detail = refused(load(server, **{missing: value}))
        assert (status, missing in detail) == (400, True)
    assert written.nothing()


def test_a_query_key_is_another_key_of_the_account(storage: Storage, start: StartServer) -> None:
    other = {"storage": {"connection_string": storage.connection_string}}
    server = start(storage, accounts={"other": other}, keys={"others": {"account": "other"}})
    for wrong in (MASTER, "unheard-of", "others", QUERY.upper()):
        status, detail = refused(load(server, queryKey=wrong))
        assert (status, "queryKey" in detail) == (400, True)
        assert wrong not in detail
    assert Written(storage).nothing()
    assert load(server, queryKey=QUERY).status_code == 201
    work = Written(storage).job()["Work"]
    assert re.fullmatch("sha256:[0-9a-f]{64}", work["query_key"])
    assert work["query_key"] != work["master_key"]


def test_guesses_by_query_keys_are_throttled(
    storage: Storage, start: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authenticate, "AuthThrottle", partial(guessing.AuthThrottle, lambda: 0.0, burst=3))
    monkeypatch.setattr(guessing, "MAX_DELAY_S", 0)
    server = start(storage)
    assert [load(server, queryKey=f"guess-{number}").status_code for number in range(6)][-1] == 503
    assert load(server, queryKey=QUERY).status_code == 503
    assert Written(storage).nothing()


def test_keys_are_judged_before_parameters(storage: Storage, start: StartServer) -> None:
    keys = {
        "shops": {"account": storage.account, "data_sources": ["shop*"]},
        "expired": {"account": storage.account, "expires": "2020-01-01T00:00:00Z"},
    }
    server = start(storage, keys=keys)
    for parameters in ({}, {"input": "pdf"}, {"o": "pdf"}):
        found = [load(server, key=key, **parameters).json() for key in (None, "unheard-of", "expired", QUERY)]
        assert {answer["statusCode"] for answer in found} == {401}
        codes = [answer["authenticationResultCode"] for answer in found]
        assert codes == ["NoCredentials", "InvalidCredentials", "CredentialsExpired", "NotAuthorized"]
        other = load(server, key="shops", **{"dataSourceName": "Bars"} | parameters).json()
        assert other["authenticationResultCode"] == "NotAuthorized"
    assert Written(storage).nothing()
    assert load(server, key="shops").status_code == 201
    assert refused(load(server, key="shops", dataSourceName=""))[0] == 400


def test_an_existing_data_source_keeps_name_and_access_id(server: LiveServer, written: Written) -> None:
    written.put(source("Shops"))
    assert refused(load(server, dataSourceName="SHOPS", accessId="0" * 32))[0] == 404
    assert refused(load(server, dataSourceName="Bars", accessId=ACCESS_ID))[0] == 404
    assert written.nothing()
    response = load(server, dataSourceName="SHOPS", accessId=ACCESS_ID.upper(), loadOperation="INCREMENTAL")
    assert response.status_code == 201
    row = written.job()
    assert (row["DataSourceName"], row["AccessId"], row["JobType"]) == ("Shops", ACCESS_ID, "DataSourceIncremental")
    assert row["Work"]["access_id"] == ACCESS_ID
    assert row["Work"]["operation"] == "incremental"


def test_an_imported_access_id_is_reused(server: LiveServer, storage: Storage) -> None:
    older, newer = "1" * 32, "2" * 32
    storage.job("DataSourceAccess", DataSourceName="Bars", AccessId=older, LegacyId="a1", CreatedDate=ago(days=3))
    storage.job("DataSourceAccess", DataSourceName="BARS", AccessId=newer, LegacyId="a2", CreatedDate=ago(days=2))
    storage.job("DataSourceAccess", DataSourceName="Pubs", AccessId="3" * 32)  # not from Bing
    assert refused(load(server, dataSourceName="Bars", accessId=older))[0] == 404
    assert refused(load(server, dataSourceName="Pubs", accessId="3" * 32))[0] == 404
    for parameters in ({}, {"accessId": newer}):
        response = load(server, dataSourceName="bars", **parameters)
        assert response.status_code == 201
        row = storage.table.get_entity(storage.account, response.headers["location"].rpartition("/")[2].split("?")[0])
        assert row["AccessId"] == newer


def test_an_answer_to_a_load_is_never_given_again(storage: Storage, start: StartServer) -> None:
    server = start(storage, pending_ttl=60, finished_ttl=60)
    assert server.json("Dataflows/ListJobs")["resourceSets"][0]["estimatedTotal"] == 0
    first, second = load(server), load(server)
    assert first.headers["location"] != second.headers["location"]
    listed = server.json("Dataflows/ListJobs")["resourceSets"][0]["resources"]
    assert [job["id"] for job in listed] == [
        response.json()["resourceSets"][0]["resources"][0]["id"] for response in (second, first)
    ]
