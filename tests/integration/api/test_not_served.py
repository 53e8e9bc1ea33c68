"""wire-contract.md, section 1: what the API has and this endpoint does not serve says so, and the operator sees it."""

import json
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from proxy.wire.routes import NOT_SERVED, Operation
from tests.conftest import StartServer
from tests.support.live import MASTER, NO_TLS, QUERY, WAIT_SECONDS, LiveServer, start_server
from tests.support.processes import free_port
from tests.support.scrape import scrape
from tests.support.serve_command import serving
from tests.support.storage import Storage

ACCESS_ID = "20181f26d9e94c81acdf9496133d4f23"

# Method, path, the operation, and a word of what the answer says.
REQUESTS = [
    ("GET", f"/REST/v1/data/{ACCESS_ID}/Shop-1/Shops?&$filter=Id%20eq%20%271%27&o=pdf", Operation.QUERY, "queries"),
    ("HEAD", f"/REST/v1/data//{ACCESS_ID}/Shops/Shops/", Operation.QUERY, "queries"),
    ("GET", f"/REST/v1/data/{ACCESS_ID}/Shops/Shops(%27a%2Fb%27)?$format=json", Operation.QUERY, "queries"),
    ("GET", "/REST/v1/data/Microsoft/PointsOfInterest?spatialFilter=nearby(1,2,3)", Operation.BING_DATA, "Bing's own"),
    ("GET", "/geo/spatial/v1/public/geodata?SpatialFilter=GetBoundary(1,2,0)", Operation.BOUNDARIES, "Geodata"),
]


@pytest.fixture(scope="module")
def endpoint(account: Storage) -> Iterator[LiveServer]:
    """A server without queries."""
    with start_server(account, queries=False) as running:
        yield running


def ask(server: LiveServer, method: str, path: str, key: str | None) -> tuple[int, str, list[str]]:
    """Status, code and error details of an answer."""
    joint = "&" if "?" in path else "?"
    url = server.url + path + ("" if key is None else f"{joint}key={key}")
    response = server.client.request(method, url, content=b"some rows" if method == "POST" else None)
    told = server.client.get(url).json() if method == "HEAD" else response.json()
    return response.status_code, told["authenticationResultCode"], told["errorDetails"]


@pytest.mark.parametrize(("method", "path", "operation", "word"), REQUESTS)
@pytest.mark.parametrize("key", ["master-key", QUERY])
def test_an_operation_not_served_is_a_404_that_names_it(
    method: str, path: str, operation: Operation, word: str, key: str, endpoint: LiveServer
) -> None:
    status, code, (detail,) = ask(endpoint, method, path, key)
    assert (status, code) == (404, "ValidCredentials")
    assert detail.startswith("This endpoint does not serve ")
    assert word in detail
    assert word in NOT_SERVED[operation]


@pytest.mark.parametrize(("method", "path"), [request[:2] for request in REQUESTS])
def test_the_key_is_judged_first(method: str, path: str, endpoint: LiveServer) -> None:
    assert ask(endpoint, method, path, None)[:2] == (401, "NoCredentials")
    assert ask(endpoint, method, path, "unheard-of")[:2] == (401, "InvalidCredentials")


def test_a_restricted_key_gets_401_before_not_served(account: Storage, start: StartServer) -> None:
    server = start(account, queries=False, keys={"shops": {"account": account.account, "data_sources": ["Shop*"]}})
    statuses = [ask(server, method, path, "shops")[0] for method, path, *_ in REQUESTS]
    assert statuses == [404, 404, 404, 404, 404]
    assert ask(server, "GET", f"/REST/v1/data/{ACCESS_ID}/Bars/Bars", "shops")[:2] == (401, "NotAuthorized")


@pytest.mark.slow
def test_operations_not_served_are_logged_and_counted(storage: Storage) -> None:
    port = free_port()
    with serving(storage, metrics_port=port, queries=False) as server:
        for method, path, *_ in REQUESTS:
            joint = "&" if "?" in path else "?"
            httpx.request(method, f"{server.url}{path}{joint}key={MASTER}", timeout=WAIT_SECONDS, verify=NO_TLS)
        metrics = scrape(port)
    lines = [json.loads(line) for line in server.log().splitlines() if "NOT_SERVED" in line]
    assert [line["operation"] for line in lines] == [operation.value for _, _, operation, _ in REQUESTS]
    for operation, times in Counter(request[2] for request in REQUESTS).items():
        assert metrics.value("requests_total", operation=operation.value, status="404") == times


def test_the_root_is_a_page_for_browsers_and_a_404_for_programs(proxy: LiveServer) -> None:
    url, browser = f"{proxy.url}/?key=MARKED-KEY", {"Accept": "text/html,*/*;q=0.8"}
    page = proxy.client.get(url, headers=browser)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert 'href="/livez"' in page.text
    assert "MARKED" not in page.text
    assert proxy.client.head(url, headers=browser).content == b""
    for headers in ({}, {"Accept": "application/json"}):
        response = proxy.client.get(url, headers=headers)
        assert (response.status_code, response.json()["authenticationResultCode"]) == (404, "None")
