"""wire-contract.md, section 1: paths, parameters, and what their letter case and order mean."""

import pytest

from tests.conftest import StartServer
from tests.support.job_samples import STATUS_PATHS, path_of, rich_job
from tests.support.live import LiveServer
from tests.support.storage import Storage


@pytest.mark.parametrize("asked", STATUS_PATHS)
@pytest.mark.parametrize("job_type", ["Geocode", "DataSourceDelete"])
def test_a_job_is_found_under_its_own_kind_only(asked: str, job_type: str, proxy: LiveServer, account: Storage) -> None:
    job_id = rich_job(account, job_type)
    is_own = path_of(job_type, "{}") == asked
    response = proxy.get(asked.format(job_id))
    assert response.status_code == (200 if is_own else 404)
    if asked.startswith("Dataflows/"):
        assert proxy.get(asked.format(job_id) + "/output/succeeded").status_code == (302 if is_own else 404)
    if not is_own:
        assert response.json()["authenticationResultCode"] == "ValidCredentials"


def test_a_job_of_another_account_is_not_found(account: Storage, start: StartServer) -> None:
    other = {"storage": {"connection_string": account.connection_string}}
    both = start(account, accounts={"other": other}, keys={"other-key": {"account": "other"}})
    job_id = account.job(DataSourceName="Shop")
    account.download("Shop")
    for path in (f"Dataflows/LoadDataSource/{job_id}", "Dataflows/DataSourceDownload/Shop"):
        assert both.get(path).status_code == 200
        response = both.get(path, key="other-key")
        assert (response.status_code, response.json()["authenticationResultCode"]) == (404, "ValidCredentials")
    assert both.json("Dataflows/ListJobs", key="other-key")["resourceSets"][0]["estimatedTotal"] == 0


def test_spelling_of_path_and_query_changes_nothing(proxy: LiveServer, account: Storage) -> None:
    job_id = rich_job(account, "Geocode")
    for path in (f"rest/V1/DATAFLOWS/geocode/{job_id.upper()}/", f"REST//v1/Dataflows//Geocode/{job_id}"):
        response = proxy.client.get(
            f"{proxy.url}/{path}?&clientApi=x&jsonp=f&O=XML&o=json&=&k%65y=master-key&key=other"
        )
        assert (response.status_code, response.headers["content-type"]) == (200, "application/xml; charset=utf-8")
        assert f"<Id>{job_id}</Id>" in response.text
