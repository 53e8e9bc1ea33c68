"""Scripts as they were written against the documents, with the shortcuts that scripts take."""

import csv
import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.clients.jobs import CONTENT, load_job, reachable, status_url
from tests.conftest import StartServer
from tests.support.live import PUBLIC_URL, QUERY, WAIT_SECONDS, LiveServer
from tests.support.storage import Storage


def first_job(url: str) -> dict[str, Any]:
    """The job of a status answer, once both status codes are as they must be."""
    with urllib.request.urlopen(url) as response:  # noqa: S310 - our own server
        answer = json.load(response)
        assert response.status == answer["statusCode"] == 200
    return dict(answer["resourceSets"][0]["resources"][0])


def test_a_script_polls_and_takes_the_second_link(proxy: LiveServer, account: Storage) -> None:
    job_id = load_job(account, "Running")
    url = status_url(proxy, job_id)
    job = first_job(url)
    assert (job["status"], [link["role"] for link in job["links"]]) == ("Pending", ["self"])
    account.table.update_entity({"PartitionKey": account.account, "RowKey": job_id, "Status": "Succeeded"})
    end = time.monotonic() + WAIT_SECONDS
    while (job := first_job(url))["status"] == "Pending":
        assert time.monotonic() < end
        time.sleep(0.1)
    assert job["status"] == "Completed"
    # The self link, given to it with the answer, leads to the same job.
    assert first_job(reachable(job["links"][0]["url"], proxy) + "?key=master-key")["id"] == job_id
    assert requests.get(job["links"][1]["url"] + "?key=master-key", timeout=60).content == CONTENT


def test_a_script_that_polls_an_aborted_job_stops_and_shows_why(proxy: LiveServer, account: Storage) -> None:
    job = first_job(status_url(proxy, account.job(status="Failed", ErrorMessage="Row 7: no latitude")))
    assert (job["status"], job["errorMessage"]) == ("Aborted", "Row 7: no latitude")


def test_a_script_reads_what_went_wrong_from_the_envelope(proxy: LiveServer) -> None:
    with pytest.raises(urllib.error.HTTPError) as raised:
        first_job(status_url(proxy, "none"))
    with raised.value as error:
        assert json.load(error)["statusCode"] == error.code == 404


@pytest.mark.parametrize("host", ["http://{}", "HTTP://{}"])
def test_a_client_builds_the_output_url_itself_and_follows_redirects(
    host: str, proxy: LiveServer, account: Storage
) -> None:
    job_id = load_job(account)
    base = host.format(f"127.0.0.1:{proxy.port}")
    with urllib.request.urlopen(  # noqa: S310 - our own server
        f"{base}/REST/v1/Dataflows/LoadDataSource/{job_id}/output/succeeded?key=master-key"
    ) as response:
        assert (response.status, response.read()) == (200, CONTENT)
        assert response.headers["Content-Encoding"] is None
    account.download("Coffee", OutputBlob=account.export(CONTENT))
    url = f"{base}/rest/v1/dataflows/datasourcedownload/coffee/output/succeeded"
    assert requests.get(url, params={"key": "master-key"}, timeout=60).content == CONTENT


def test_a_sample_finds_the_data_source_link(proxy: LiveServer, account: Storage) -> None:
    job = first_job(status_url(proxy, load_job(account)))
    # First(...) of LINQ, which throws when there is none.
    link = next(link for link in job["links"] if link["role"] == "dataSource")
    assert link["url"] == f"{PUBLIC_URL}/REST/v1/data/20181f26d9e94c81acdf9496133d4f23/FourthCoffeeSample"
    assert next(link for link in job["links"] if link["role"] == "datasource")["url"] == link["url"]


def test_a_list_is_filtered_by_its_description(server: LiveServer, storage: Storage) -> None:
    storage.job("DataSourceIncremental", "Running", DataSourceName="Shop")
    load_job(storage)
    storage.job("Geocode")
    jobs = requests.get(
        f"{server.url}/REST/v1/dataflows/listjobs", params={"output": "json", "key": "master-key"}, timeout=60
    ).json()["resourceSets"][0]["resources"]
    loads = [job for job in jobs if job["description"].startswith("DataSource")]
    assert [(job["name"], job["status"]) for job in loads] == [
        ("Shop", "Pending"),
        ("FourthCoffeeSample", "Completed"),
    ]


def httr_content(response: requests.Response) -> str | list[list[str]]:
    """What R's httr makes of an answer: a table of text/csv, whose first line it takes for the names of columns."""
    if response.headers["Content-Type"].partition(";")[0] == "text/csv":
        return list(csv.reader(response.text.splitlines()))[1:]
    return response.text


@pytest.mark.parametrize("name", ["output.csv", "output.tab", "output.pipe", "output.txt"])
@pytest.mark.parametrize("key", ["master-key", QUERY])
def test_a_script_in_r_is_given_geocoded_rows_as_text(name: str, key: str, proxy: LiveServer, account: Storage) -> None:
    rows = "Bing Spatial Data Services, 2.0\nId,GeocodeResponse/Point/Latitude\n0,39.74\n"
    job_id = account.job("Geocode", OutputBlob=account.export(rows.encode(), name))
    url = f"{proxy.url}/REST/v1/Dataflows/Geocode/{job_id}/output/succeeded"
    found = httr_content(requests.get(url, params={"key": key}, timeout=60))
    assert isinstance(found, str)
    # It leaves out the first line itself.
    assert list(csv.DictReader(found.splitlines()[1:])) == [{"Id": "0", "GeocodeResponse/Point/Latitude": "39.74"}]


def test_a_script_waits_at_job_usage_quota(storage: Storage, start: StartServer) -> None:
    server = start(storage, max_active_jobs=1)
    pending = storage.job("Geocode", "Running")
    url = f"{server.url}/REST/v1/Dataflows/LoadDataSource"
    query = {"dataSourceName": "Shops", "loadOperation": "complete", "input": "csv", "key": "master-key"}

    def create() -> requests.Response:
        return requests.post(url, params=query, data=b"rows", timeout=60)

    response = create()
    assert response.status_code == 503
    assert any("JobUsageQuota" in text and "Pending" in text for text in response.json()["errorDetails"])
    assert int(response.headers["Retry-After"]) > 0
    storage.table.update_entity({"PartitionKey": storage.account, "RowKey": pending, "Status": "Completed"})
    assert create().status_code == 201


def test_a_shell_script_sends_xml_as_a_form(server: LiveServer, storage: Storage, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    file = tmp_path / "shops.xml"
    file.write_bytes(b"<Shops />")
    url = f"{server.url}/REST/v1/Dataflows/LoadDataSource?dataSourceName=Fourth-Coffee&loadOperation=complete&input=xml"
    command = ["curl", "--silent", "--data-binary", f"@{file}", f"{url}&o=xml&key=master-key"]
    answer = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout.decode()
    assert "<StatusCode>201</StatusCode>" in answer
    rows = storage.table.query_entities(f"PartitionKey eq '{storage.account}'")
    (row,) = (each for each in rows if "JobType" in each)
    assert json.loads(row["Work"])["input"] == "xml"
    assert row["DataSourceName"] == "Fourth-Coffee"
