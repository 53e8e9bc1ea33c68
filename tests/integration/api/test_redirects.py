"""wire-contract.md, section 4: output paths on the proxy authenticate, then send the caller on to a signed link."""

import pytest

from tests.conftest import StartServer
from tests.support.job_samples import JOB_TYPES, path_of, rich_job
from tests.support.live import PUBLIC_URL, QUERY, LiveServer
from tests.support.storage import Storage

OUTPUT_KINDS = ("LoadDataSource", "DataSourceDownload", "Download", "Geocode", "DataSourceRollback", "ListJobs")


def test_an_output_path_is_a_302_without_caching(proxy: LiveServer, account: Storage) -> None:
    job_id = account.job("Geocode", OutputBlob=account.export(b"out"), FailedBlob=account.export(b"log", "log.txt"))
    for name, content in (("succeeded", b"out"), ("failed", b"log"), ("SUCCEEDED", b"out"), ("Failed/", b"log")):
        response = proxy.get(f"Dataflows/Geocode/{job_id}/output/{name}")
        assert (response.status_code, response.headers["cache-control"]) == (302, "no-store")
        location = response.headers["location"]
        assert "legacy" not in location
        assert not location.endswith("#")
        assert proxy.client.get(location).content == content


@pytest.mark.parametrize("kind", OUTPUT_KINDS)
@pytest.mark.parametrize("job_type", ["DataSourceDownload", "DataSourceDelete"])
def test_an_output_is_served_at_its_jobs_paths_only(
    kind: str, job_type: str, proxy: LiveServer, account: Storage
) -> None:
    own = path_of(job_type, "").split("/")[1]
    kinds = {own, "ListJobs"} | ({"Download"} if job_type == "DataSourceDownload" else set())
    response = proxy.get(f"Dataflows/{kind}/{rich_job(account, job_type)}/output/succeeded")
    assert response.status_code == (302 if kind in kinds else 404)


@pytest.mark.parametrize("kind", ["DataSourceDownload", "Download"])
def test_a_downloads_output_is_found_by_name(kind: str, proxy: LiveServer, account: Storage) -> None:
    account.download("Coffee", OutputBlob=account.export(b"new"))
    response = proxy.get(f"Dataflows/{kind}/coffee/output/succeeded")
    assert proxy.client.get(response.headers["location"]).content == b"new"


def test_an_output_is_found_by_the_id_from_bing(proxy: LiveServer, account: Storage) -> None:
    account.alias("alias:id:old-1", rich_job(account, "Geocode", LegacyId="Old-1"))
    assert proxy.get("Dataflows/Geocode/OLD-1/output/succeeded").status_code == 302


@pytest.mark.parametrize("name", ["succeeded", "failed"])
def test_a_job_without_that_output_is_not_found(name: str, proxy: LiveServer, account: Storage) -> None:
    response = proxy.get(f"Dataflows/Geocode/{account.job('Geocode')}/output/{name}", o="xml")
    assert response.status_code == 404
    assert b"<AuthenticationResultCode>ValidCredentials</AuthenticationResultCode>" in response.content


@pytest.mark.parametrize(
    ("key", "code"), [(None, "NoCredentials"), ("unknown", "InvalidCredentials"), (QUERY, "NotAuthorized")]
)
def test_an_output_path_authenticates_first(key: str | None, code: str, proxy: LiveServer, account: Storage) -> None:
    for job_id in (rich_job(account), "none"):
        response = proxy.get(f"Dataflows/LoadDataSource/{job_id}/output/succeeded", key=key)
        assert (response.status_code, response.json()["authenticationResultCode"]) == (401, code)
        assert "location" not in response.headers


def test_in_redirect_mode_no_answer_holds_a_signature(storage: Storage, start: StartServer) -> None:
    server = start(storage, output_links="redirect")
    paths = [path_of(job_type, rich_job(storage, job_type)) for job_type in JOB_TYPES]
    for path in ("Dataflows/ListJobs", *paths):
        for output in ("json", "xml"):
            answer = server.get(path, o=output).text
            assert PUBLIC_URL in answer.replace("\\/", "/")
            assert "sig=" not in answer


def test_in_redirect_mode_links_repeat_the_reference(storage: Storage, start: StartServer) -> None:
    server = start(storage, output_links="redirect")
    job_id = storage.download("Coffee", OutputBlob=storage.export(b"<a/>"))
    for asked, shown in (("coffee", "Coffee"), (job_id.upper(), job_id)):
        link = server.job(f"Dataflows/DataSourceDownload/{asked}")["links"][1]["url"]
        assert link == f"{PUBLIC_URL}/REST/v1/dataflows/DataSourceDownload/{shown}/output/succeeded"
        found = server.client.get(link.replace(PUBLIC_URL, server.url) + "?key=master-key", follow_redirects=True)
        assert found.content == b"<a/>"
