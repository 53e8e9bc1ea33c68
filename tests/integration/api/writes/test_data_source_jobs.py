"""Jobs of a data source that exists: their answers, their rows, and what is refused (write-contract.md, "Requests")."""

from typing import Any

import httpx
import pytest
from lxml import etree

from tests.conftest import StartServer
from tests.integration.api.writes.test_loads import refused
from tests.support.live import MASTER, PUBLIC_URL, QUERY, LiveServer
from tests.support.storage import Storage, ago
from tests.support.stored_jobs import ACCESS_ID, Written, source, version

STAGED, OLDER, OLDEST = version(), version(ago(hours=5)), version(ago(hours=9))

DOWNLOAD = f"Dataflows/DataSourceDownload/{ACCESS_ID}/Shops"
ROLLBACK = f"Dataflows/DataSourceRollback/{OLDEST.job_id}/Shops"
PUBLISH = f"data/{ACCESS_ID}/Shops/$commit"
ACCESS = f"data/{ACCESS_ID}/Shops/$updatedatasource"
MEANT = {"source": source().identity}
"""What the work of each job says of its data source."""

CREATING = (DOWNLOAD, ROLLBACK, PUBLISH, ACCESS)


@pytest.fixture
def shops(written: Written) -> Written:
    """A data source with every version that one can have."""
    written.put(source(staged=STAGED, earlier=(OLDER, OLDEST)))
    return written


def create(server: LiveServer, path: str, key: str | None = MASTER, **parameters: str) -> httpx.Response:
    return server.get(path, key, **({"setPublic": "1"} if "updatedata" in path.lower() else {}) | parameters)


def delete(server: LiveServer, path: str, key: str | None = MASTER, **parameters: str) -> httpx.Response:
    query = parameters | ({} if key is None else {"key": key})
    return server.client.delete(f"{server.url}/REST/v1/{path}", params=query)


# Path, HTTP status, resource type, status, description, job type, work, and the path of the job's status.
ANSWERS: dict[str, tuple[Any, ...]] = {
    "download": (DOWNLOAD, 201, "DataflowJob", "Pending", None, {"version": None}, "DataSourceDownload/Shops"),
    "rollback": (
        ROLLBACK,
        201,
        "DataflowJob",
        "Pending",
        "DataSourceRollback",
        {"version": OLDEST.job_id},
        "DataSourceRollback/{}",
    ),
    "publish": (PUBLISH, 202, "DataServiceJob", "Accepted", "DataSourcePublishFromStaged", {}, "jobs/{}/$getstatus"),
    "access": (
        ACCESS,
        201,
        "DataServiceJob",
        "Created",
        'Data source "Shops" set public',
        {"public": True},
        "jobs/{}/$getstatus",
    ),
}
TYPES = {
    DOWNLOAD: "DataSourceDownload",
    ROLLBACK: "DataSourceRollback",
    PUBLISH: "DataSourcePublishFromStaged",
    ACCESS: "DataSourceAccess",
}


@pytest.mark.parametrize("case", ANSWERS.values(), ids=ANSWERS.keys())
@pytest.mark.parametrize("change", [str, str.lower, str.upper])
def test_a_job_is_created_and_its_location_leads_to_it(
    case: tuple[Any, ...], change: Any, server: LiveServer, shops: Written
) -> None:
    path, http, resource_type, status, description, work, where = case
    response = create(server, change(path))
    envelope = response.json()
    assert (response.status_code, envelope["statusCode"]) == (http, http)
    assert envelope["statusDescription"] == {201: "Created", 202: "Accepted"}[http]
    (job,) = envelope["resourceSets"][0]["resources"]
    assert job["__type"].partition(":")[0] == resource_type
    assert (job["status"], job.get("description")) == (status, description)
    assert ("totalEntityCount" in job) == (resource_type == "DataflowJob")
    location = response.headers["location"]
    assert location.endswith("/" + where.format(job["id"]))
    assert not set("?#") & set(location)
    row = shops.job()
    assert (row["RowKey"], row["JobType"], row["Status"]) == (job["id"], TYPES[path], "Pending")
    assert (row["DataSourceName"], row["AccessId"], row["Work"]) == ("Shops", ACCESS_ID, work | MEANT)
    assert shops.queued() == [job["id"]]
    told = server.client.get(location.replace(PUBLIC_URL, server.url) + f"?output=json&key={MASTER}").json()
    (found,) = told["resourceSets"][0]["resources"]
    assert (found["id"], found["status"]) == (job["id"], "Pending")


@pytest.mark.parametrize("case", ANSWERS.values(), ids=ANSWERS.keys())
def test_the_response_is_xml_on_request(case: tuple[Any, ...], server: LiveServer, shops: Written) -> None:
    path, http, resource_type, status, description, *_ = case
    response = create(server, path, o="xml")
    root = etree.fromstring(response.content)
    assert (response.status_code, root.findtext("{*}StatusCode")) == (http, str(http))
    (job,) = root.iterfind(".//{*}Resources/*")
    assert etree.QName(job).localname == resource_type
    assert (job.findtext("{*}Status"), job.findtext("{*}Description")) == (status, description)
    assert job.findtext("{*}Id") == shops.job()["RowKey"]


def test_self_links_of_publish_and_rollback_have_the_key(storage: Storage, start: StartServer) -> None:
    key = "a+b/c&d=é"
    server = start(storage, keys={key: {"account": storage.account}})
    Written(storage).put(source(staged=STAGED, earlier=(OLDER, OLDEST)))
    for path in CREATING:
        response = create(server, path, key)
        (link,) = response.json()["resourceSets"][0]["resources"][0]["links"]
        if path in {PUBLISH, ROLLBACK}:
            assert link["url"].partition("?")[0] == response.headers["location"]
            assert server.client.get(link["url"].replace(PUBLIC_URL, server.url)).status_code == 200
        else:
            assert link["url"] == response.headers["location"]


@pytest.mark.parametrize(("text", "public"), [("0", False), ("1", True), ("FALSE", False), ("True", True)])
def test_a_data_source_is_made_public_or_private(
    text: str,
    public: bool,  # noqa: FBT001 - a table's column
    server: LiveServer,
    shops: Written,
) -> None:
    assert create(server, ACCESS, setPublic=text).status_code == 201
    assert shops.job()["Work"] == {"public": public} | MEANT


@pytest.mark.parametrize("text", ["", "2", "yes"])
def test_set_public_is_required(text: str, server: LiveServer, shops: Written) -> None:
    status, detail = refused(create(server, ACCESS, setPublic=text))
    assert (status, "setPublic" in detail) == (400, True)
    assert shops.nothing()


@pytest.mark.parametrize("each", [STAGED, OLDER, OLDEST], ids=["staged", "older", "oldest"])
def test_any_version_can_be_downloaded_by_the_job_that_made_it(each: Any, server: LiveServer, shops: Written) -> None:
    assert create(server, DOWNLOAD, jobId=each.job_id.upper()).status_code == 201
    assert shops.job()["Work"] == {"version": each.job_id} | MEANT


def test_a_version_that_is_not_there_is_not_found(server: LiveServer, written: Written) -> None:
    ended: dict[str, Any] = {"staged": STAGED, "staged_until": STAGED.updated, "published": None}
    for changes, paths in (({}, (ROLLBACK, PUBLISH)), (ended, (ROLLBACK, PUBLISH, DOWNLOAD))):
        written.put(source(**changes))
        for path in paths:
            response = create(server, path)
            assert (response.status_code, response.json()["authenticationResultCode"]) == (404, "ValidCredentials")
        assert refused(create(server, DOWNLOAD, jobId="f" * 32))[0] == 404
        assert refused(delete(server, f"data/{ACCESS_ID}/Shops", isStaging="true"))[0] == 404
    written.put(source(earlier=(OLDER,)))
    published = source().published
    assert published is not None
    assert refused(create(server, f"Dataflows/DataSourceRollback/{published.job_id}/Shops"))[0] == 404
    assert written.nothing()


def test_a_delete_is_accepted_and_listed_at_once(storage: Storage, start: StartServer) -> None:
    server, written = start(storage, pending_ttl=60), Written(storage)
    written.put(source())
    assert server.json("Dataflows/ListJobs")["resourceSets"][0]["estimatedTotal"] == 0
    response = delete(server, f"DATA/{ACCESS_ID}/SHOPS/")
    assert (response.status_code, response.content, "location" in response.headers) == (202, b"", False)
    (job,) = server.json("Dataflows/ListJobs")["resourceSets"][0]["resources"]
    assert (job["description"], job["status"], job["name"]) == ("DataSourceDelete", "Pending", "Shops")
    assert (written.job()["Work"], written.queued()) == ({"staging": False} | MEANT, [job["id"]])


@pytest.mark.parametrize(
    ("text", "staging"), [("0", False), ("", False), ("FALSE", False), ("1", True), ("true", True)]
)
def test_what_is_staged_can_be_deleted_alone(
    text: str,
    staging: bool,  # noqa: FBT001 - a table's column
    server: LiveServer,
    shops: Written,
) -> None:
    assert delete(server, f"data/{ACCESS_ID}/Shops", isStaging=text).status_code == 202
    assert shops.job()["Work"] == {"staging": staging} | MEANT


def test_a_wrong_word_deletes_nothing(server: LiveServer, shops: Written) -> None:
    assert refused(delete(server, f"data/{ACCESS_ID}/Shops", isStaging="2"))[0] == 400
    assert shops.nothing()


@pytest.mark.parametrize("path", CREATING, ids=ANSWERS)
def test_each_get_creates_a_job_and_head_creates_none(path: str, storage: Storage, start: StartServer) -> None:
    server, written = start(storage, pending_ttl=60, finished_ttl=60), Written(storage)
    written.put(source(staged=STAGED, earlier=(OLDER, OLDEST)))
    ids = {create(server, path).json()["resourceSets"][0]["resources"][0]["id"] for _ in range(3)}
    assert len(ids) == 3
    response = server.client.head(f"{server.url}/REST/v1/{path}", params={"key": MASTER, "setPublic": "1"})
    assert (response.status_code, response.headers["allow"]) == (405, "GET")
    assert {job["RowKey"] for job in written.jobs()} == ids


def test_the_newest_download_is_found_by_name_at_once(storage: Storage, start: StartServer) -> None:
    server = start(storage, pending_ttl=60)
    Written(storage).put(source())
    for _ in range(2):
        location = create(server, DOWNLOAD).headers["location"]
        (job,) = server.json(location.partition("/REST/v1/")[2])["resourceSets"][0]["resources"]
        newest = max(row["RowKey"] for row in Written(storage).jobs())
        assert job["id"] == newest


def test_a_data_source_of_another_account_is_not_found(storage: Storage, start: StartServer) -> None:
    other = {"storage": {"connection_string": storage.connection_string}}
    server = start(storage, accounts={"other": other}, keys={"others": {"account": "other"}})
    Written(storage).put(source(staged=STAGED, earlier=(OLDER, OLDEST)))
    for path in (*CREATING, f"data/{ACCESS_ID}/Shops", f"data/{ACCESS_ID}/Shops/$metadata"):
        response = create(server, path, "others")
        assert (response.status_code, response.json()["authenticationResultCode"]) == (404, "ValidCredentials")
        wrong = path.replace(ACCESS_ID, "0" * 32).replace("/Shops", "/Bars" if path == ROLLBACK else "/Shops")
        assert refused(create(server, wrong))[0] == 404
    assert refused(delete(server, f"data/{ACCESS_ID}/Shops", "others"))[0] == 404
    assert refused(delete(server, f"data/{'0' * 32}/Shops"))[0] == 404
    assert Written(storage).nothing()


def test_keys_are_judged_before_parameters_and_storage(storage: Storage, start: StartServer) -> None:
    keys = {"shops": {"account": storage.account, "data_sources": ["shop*"]}}
    server, written = start(storage, keys=keys), Written(storage)
    written.put(source(staged=STAGED, earlier=(OLDER, OLDEST)), source("Bars", earlier=(OLDEST,)))
    for parameters in ({}, {"setPublic": "2"}, {"o": "pdf"}):
        for path in (*CREATING, f"data/{ACCESS_ID}/Shops"):
            refused_by = {None: "NoCredentials", "unheard-of": "InvalidCredentials"}
            if path in CREATING:
                refused_by[QUERY] = "NotAuthorized"
            for key, code in refused_by.items():
                response = create(server, path, key, **parameters)
                assert (response.status_code, response.json()["authenticationResultCode"]) == (401, code)
            other = create(server, path.replace("Shops", "Bars"), "shops", **parameters)
            assert (other.status_code, other.json()["authenticationResultCode"]) == (401, "NotAuthorized")
    for key in (None, "unheard-of", QUERY):
        assert delete(server, f"data/{ACCESS_ID}/Shops", key).status_code == 401
    assert delete(server, f"data/{ACCESS_ID}/Bars", "shops").status_code == 401
    assert written.nothing()
    assert create(server, PUBLISH, "shops").status_code == 202


@pytest.mark.parametrize("path", CREATING, ids=ANSWERS)
def test_a_name_that_can_not_be_one_is_a_bad_request(path: str, server: LiveServer, written: Written) -> None:
    for name in ("a.b", "x" * 51, "%20"):
        assert refused(create(server, path.replace("Shops", name)))[0] == 400
    assert written.nothing()


@pytest.mark.parametrize("seconds", [0, 30, 1200])
def test_a_job_sorts_behind_one_with_a_clock_ahead(
    seconds: int, server: LiveServer, shops: Written, storage: Storage
) -> None:
    """Workers do the jobs of one data source in the order of their ids."""
    ahead = storage.job(
        "DataSourceAccess", "Pending", DataSourceName="Shops", Work="{}", CreatedDate=ago(seconds=-seconds)
    )
    made = [create(server, ACCESS).json()["resourceSets"][0]["resources"][0]["id"] for _ in range(3)]
    assert [ahead, *made] == sorted([ahead, *made])
    assert len(shops.queued()) == len(made)
