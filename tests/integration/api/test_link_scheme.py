"""wire-contract.md, section 3: with `PROXY_LINK_SCHEME=request` links that stay on the proxy follow the request."""

from typing import Any

import httpx
import pytest

from tests.conftest import StartServer
from tests.integration.api.writes.test_loads import LOAD
from tests.support.job_samples import path_of, rich_job
from tests.support.live import MASTER, PUBLIC_URL, LiveServer
from tests.support.storage import Storage
from tests.support.stored_jobs import ACCESS_ID, Written, source

HOST = PUBLIC_URL.removeprefix("https://")
REQUEST = {"link_scheme": "request", "output_links": "redirect"}


def ask(server: LiveServer, path: str, proto: str | None = None, method: str = "GET", **query: str) -> httpx.Response:
    headers = {} if proto is None else {"X-Forwarded-Proto": proto}
    url = f"{server.url}/REST/v1/{path}"
    content = b"<a/>" if method == "POST" else None
    return server.client.request(method, url, params=query | {"key": MASTER}, headers=headers, content=content)


def urls(response: httpx.Response) -> list[str]:
    """All links of a status answer or a list."""
    jobs: list[dict[str, Any]] = response.json()["resourceSets"][0]["resources"]
    return [link["url"] for job in jobs for link in job.get("links", [])]


PROTOS = {
    None: "http",
    "http": "http",
    "https": "https",
    "wss": "https",
    "ws": "http",
    "evil": "http",
    "https, http": "https",
    "http,https": "http",
}


@pytest.mark.parametrize(("proto", "scheme"), PROTOS.items(), ids=map(str, PROTOS))
def test_every_link_that_stays_follows_the_request(
    proto: str | None, scheme: str, storage: Storage, start: StartServer
) -> None:
    server = start(storage, trusted_proxies="127.0.0.1", **REQUEST)
    written = Written(storage)
    written.put(source())
    base = f"{scheme}://{HOST}/REST/v1/"
    paths = [path_of(job_type, rich_job(storage, job_type)) for job_type in ("Geocode", "DataSourceComplete")]
    for path in ["Dataflows/ListJobs", *paths]:
        assert (found := urls(ask(server, path, proto)))
        assert all(url.startswith(base) for url in found), found
    assert ask(server, "Dataflows/LoadDataSource", proto, "POST", **LOAD).headers["location"].startswith(base)
    made = ask(server, f"Dataflows/DataSourceDownload/{ACCESS_ID}/Shops", proto)
    assert made.headers["location"].startswith(base)
    assert all(url.startswith(base) for url in urls(made))
    assert f'href="{base}data/{ACCESS_ID}/Shops/' in ask(server, "data", proto).text


def test_a_proto_counts_from_a_trusted_proxy_only(storage: Storage, start: StartServer) -> None:
    server = start(storage, **REQUEST)
    path = f"Dataflows/LoadDataSource/{storage.job()}"
    assert urls(ask(server, path, "https"))[0].startswith("http://")


@pytest.mark.parametrize("path", ["Dataflows/ListJobs", "Dataflows/Geocode/{job}"])
def test_a_remembered_answer_is_for_requests_of_its_scheme(path: str, storage: Storage, start: StartServer) -> None:
    server = start(storage, trusted_proxies="127.0.0.1", pending_ttl=60, finished_ttl=60, **REQUEST)
    asked = path.format(job=storage.job("Geocode"))
    for _ in range(2):
        for scheme in ("http", "https"):
            assert all(url.startswith(f"{scheme}://{HOST}/") for url in urls(ask(server, asked, scheme)))


def test_by_default_the_public_url_decides(storage: Storage, start: StartServer) -> None:
    server = start(storage, trusted_proxies="127.0.0.1")
    path = f"Dataflows/LoadDataSource/{storage.job()}"
    assert urls(ask(server, path, "http"))[0].startswith("https://")


def test_a_signed_link_keeps_the_scheme_of_storage(storage: Storage, start: StartServer) -> None:
    server = start(storage, trusted_proxies="127.0.0.1", link_scheme="request")
    path = f"Dataflows/LoadDataSource/{storage.job(OutputBlob='exports/a.xml')}"
    assert urls(ask(server, path, "https"))[1].startswith("http://127.0.0.1:")
    assert ask(server, f"{path}/output/succeeded", "https").headers["location"].startswith("http://127.0.0.1:")
