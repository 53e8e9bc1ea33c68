"""wire-contract.md, sections 1, 5 and 6: what a key may do."""

import hashlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import StartServer
from tests.support.job_samples import JOB_TYPES, path_of, rich_job
from tests.support.live import PUBLIC_URL, QUERY, LiveServer, start_server
from tests.support.storage import Storage

NAMED = [job_type for job_type in JOB_TYPES if job_type != "Geocode"]


@pytest.fixture(scope="module")
def keyed(account: Storage) -> Iterator[LiveServer]:
    """A server with restricted keys."""
    with start_server(
        account,
        keys={
            "coffee": {"account": account.account, "data_sources": ["FourthCoffee*"]},
            "two": {"account": account.account, "data_sources": ["tea", "MILK"]},
            "nothing": {"account": account.account, "data_sources": []},
            "coffee-query": {"account": account.account, "role": "query", "data_sources": ["fourthcoffee*"]},
        },
    ) as running:
        yield running


def listed(server: LiveServer, key: str) -> set[str]:
    """The ids in the job list of a key."""
    return {job["id"] for job in server.json("Dataflows/ListJobs", key)["resourceSets"][0]["resources"]}


def test_a_query_key_lists_the_same_jobs_as_a_master_key(storage: Storage, server: LiveServer) -> None:
    ids = {rich_job(storage, job_type) for job_type in JOB_TYPES if job_type != "DataSourceDownload"}
    assert listed(server, QUERY) == listed(server, "master-key") == ids
    for output in ("json", "xml"):
        answers = [server.get("Dataflows/ListJobs", key, o=output).text for key in (QUERY, "master-key")]
        # The two outputs of the geocode job: no other job links to one there.
        assert [answer.count("sig=") for answer in answers] == [2, 2]


@pytest.mark.parametrize("mode", ["sas", "redirect"])
def test_a_query_key_follows_a_geocode_job_to_its_outputs(mode: str, account: Storage, start: StartServer) -> None:
    server = start(account, output_links=mode)
    job_id = rich_job(account, "Geocode", OutputBlob=account.export(b"rows"))
    path = path_of("Geocode", job_id)
    in_list = server.json("Dataflows/ListJobs", QUERY)["resourceSets"][0]["resources"]
    (listed_job,) = [job for job in in_list if job["id"] == job_id]
    for links in (server.job(path, QUERY)["links"], listed_job["links"]):
        assert [link.get("name") for link in links] == [None, "succeeded", "failed"]
        url = links[1]["url"].replace(PUBLIC_URL, server.url) + "?key=" + QUERY
        assert server.client.get(url, follow_redirects=True).content == b"rows"
    for asked in (path, f"Dataflows/ListJobs/{job_id}"):
        for output in ("succeeded", "failed"):
            assert server.get(f"{asked}/output/{output}", QUERY).status_code == 302
    assert server.get(path_of("Geocode", "none"), QUERY).status_code == 404
    assert server.get(path_of("Geocode", account.job()), QUERY).status_code == 404


def test_a_query_key_may_do_nothing_else_of_a_job(proxy: LiveServer, account: Storage) -> None:
    unreadable = account.job("Nonsense")
    refusals = set()
    for job_type in (*NAMED, "none", "unreadable"):
        known = {"none": "0" * 32, "unreadable": unreadable}
        job_id = known.get(job_type) or rich_job(account, job_type)
        path = path_of(job_type, job_id) if job_type in NAMED else f"Dataflows/LoadDataSource/{job_id}"
        for asked in (path, f"{path}/output/succeeded", f"Dataflows/ListJobs/{job_id}/output/failed"):
            if "$getstatus/" not in asked:
                for parameters in ({}, {"o": "pdf"}):
                    response = proxy.get(asked, QUERY, **parameters)
                    told = response.json()
                    assert (response.status_code, told["authenticationResultCode"]) == (401, "NotAuthorized"), asked
                    refusals.add(tuple(told["errorDetails"]))
    # What is refused tells nothing of what is there.
    assert len(refusals) == 1


def test_a_query_keys_parameters_are_checked_after_the_job(proxy: LiveServer, account: Storage) -> None:
    path = f"Dataflows/ListJobs/{rich_job(account, 'Geocode')}/output/succeeded"
    assert proxy.get(path, QUERY, o="pdf").status_code == 400
    missing = f"Dataflows/ListJobs/{account.job('Geocode')}/output/succeeded"
    assert proxy.get(missing, QUERY).status_code == 404


@pytest.mark.parametrize(
    ("job_type", "name"),
    [*((job_type, "FourthCoffee") for job_type in NAMED), ("DataSourceComplete", "FOURTHCOFFEE2")],
)
def test_a_restricted_key_opens_its_own_data_sources(
    job_type: str, name: str, keyed: LiveServer, account: Storage
) -> None:
    job_id = rich_job(account, job_type, DataSourceName=name)
    assert keyed.job(path_of(job_type, job_id), "coffee")["id"] == job_id
    assert keyed.get(f"Dataflows/ListJobs/{job_id}/output/succeeded", "coffee").status_code == 302
    assert (job_id in listed(keyed, "coffee")) == (job_type != "DataSourceDownload")
    assert job_id not in listed(keyed, "two")
    assert listed(keyed, "nothing") == set()


@pytest.mark.parametrize(
    ("job_type", "name"), [*((job_type, "MyFourthCoffee") for job_type in JOB_TYPES), ("DataSourceComplete", "")]
)
def test_a_restricted_key_opens_no_other(job_type: str, name: str, keyed: LiveServer, account: Storage) -> None:
    job_id = rich_job(account, job_type, DataSourceName=name)
    for path in (path_of(job_type, job_id), f"Dataflows/ListJobs/{job_id}/output/succeeded"):
        for key in ("coffee", "two", "nothing"):
            response = keyed.get(path, key)
            assert (response.status_code, response.json()["authenticationResultCode"]) == (401, "NotAuthorized")
    assert job_id not in listed(keyed, "coffee") | listed(keyed, "coffee-query") | listed(keyed, "nothing")


def test_a_restricted_key_opens_no_geocode_job(keyed: LiveServer, account: Storage) -> None:
    job_id = rich_job(account, "Geocode", DataSourceName="FourthCoffee")
    for path in (path_of("Geocode", job_id), f"Dataflows/ListJobs/{job_id}/output/succeeded"):
        for key in ("coffee", "coffee-query"):
            assert keyed.get(path, key).status_code == 401
    missing = keyed.get("Dataflows/ListJobs/none/output/succeeded", "coffee-query").json()
    found = keyed.get(f"Dataflows/ListJobs/{job_id}/output/succeeded", "coffee-query").json()
    assert missing["errorDetails"] == found["errorDetails"]
    assert keyed.get(path_of("Geocode", "none"), "coffee").status_code == 401
    assert job_id not in listed(keyed, "coffee")


def test_a_restricted_query_key_only_lists(keyed: LiveServer, account: Storage) -> None:
    job_id = rich_job(account, DataSourceName="FourthCoffee")
    assert job_id in listed(keyed, "coffee-query")
    assert keyed.get(path_of("DataSourceComplete", job_id), "coffee-query").status_code == 401


def test_a_restricted_key_finds_downloads_by_name_and_id(keyed: LiveServer, account: Storage) -> None:
    own, other = account.download("FourthCoffee9"), account.download("Elsewhere")
    for reference, status in (("fourthCOFFEE9", 200), (own, 200), ("Elsewhere", 401), (other, 401), ("Nobody", 401)):
        assert keyed.get(f"Dataflows/DataSourceDownload/{reference}", "coffee").status_code == status
    assert keyed.get("Dataflows/DataSourceDownload/FourthCoffeeNone", "coffee").status_code == 404
    # Storage decides neither what the name of another means, nor whether a key is for it.
    assert keyed.get("Dataflows/Download/Elsewhere/output/succeeded", "coffee").status_code == 401


def test_an_alias_to_another_data_source_opens_nothing(keyed: LiveServer, account: Storage) -> None:
    account.alias("alias:download:fourthcoffee7", account.download("Secret"))
    assert keyed.get("Dataflows/DataSourceDownload/FourthCoffee7", "coffee").status_code == 404


def test_a_key_is_written_in_the_clear_or_as_its_digest(account: Storage, start: StartServer) -> None:
    keys: dict[str, dict[str, Any]] = {
        "sha256:" + hashlib.sha256(key.encode()).hexdigest(): {"account": account.account}
        for key in ("digested", "Schlüssel", "a+b &c=%")
    }
    server = start(account, keys=keys | {"ÅÄÖ": {"account": account.account}})
    for key in ("digested", "Schlüssel", "a+b &c=%", "ÅÄÖ"):
        assert server.get("Dataflows/ListJobs", key).status_code == 200
    for key in (next(iter(keys)), next(iter(keys)).removeprefix("sha256:"), "Digested", " digested", "åäö"):
        assert server.get("Dataflows/ListJobs", key).json()["authenticationResultCode"] == "InvalidCredentials"


def test_a_key_expires_while_the_server_runs(account: Storage, start: StartServer) -> None:
    now = datetime.now(UTC)
    soon = now + timedelta(seconds=1)
    times = {"past": now - timedelta(seconds=1), "soon": soon, "late": now + timedelta(days=1)}
    server = start(
        account, keys={key: {"account": account.account, "expires": end.isoformat()} for key, end in times.items()}
    )
    assert [server.get("Dataflows/ListJobs", key).status_code for key in ("past", "late")] == [401, 200]
    response = server.get("Dataflows/ListJobs", "soon")
    assert response.status_code == 200 or datetime.now(UTC) > soon  # a slow machine may be late
    time.sleep(1)
    response = server.get("Dataflows/ListJobs", "soon")
    assert (response.status_code, response.json()["authenticationResultCode"]) == (401, "CredentialsExpired")
