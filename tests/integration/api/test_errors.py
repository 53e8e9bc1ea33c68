"""wire-contract.md, section 5: the table of errors, row by row, and which of them comes first."""

from collections.abc import Iterator
from contextlib import ExitStack
from http import HTTPStatus
from typing import Any

import pytest
from lxml import etree

from tests.support.job_samples import OUTPUT_PATHS, STATUS_PATHS
from tests.support.live import QUERY, LiveServer, start_server
from tests.support.storage import Storage
from tests.support.stub_servers import connection_string, listening, saying

PATHS = ["Dataflows/ListJobs", *(path.format("some") for path in (*STATUS_PATHS, *OUTPUT_PATHS))]


@pytest.fixture(scope="module")
def guarded(account: Storage) -> Iterator[LiveServer]:
    """A server with a key of each kind, and an account whose storage refuses us."""
    with ExitStack() as stack:
        refusing = connection_string(stack.enter_context(listening(saying("403 Forbidden", b""))))
        keys: dict[str, dict[str, Any]] = {
            "expired": {"account": account.account, "expires": "2020-01-01T00:00:00Z"},
            "other": {"account": account.account, "data_sources": ["Elsewhere"]},
            "refused": {"account": "refused"},
            "refused-query": {"account": "refused", "role": "query"},
            "refused-other": {"account": "refused", "data_sources": ["Elsewhere"]},
            "refused-expired": {"account": "refused", "expires": "2020-01-01T00:00:00Z"},
        }
        accounts = {"refused": {"storage": {"connection_string": refusing}}}
        yield stack.enter_context(start_server(account, accounts=accounts, keys=keys))


def expect(server: LiveServer, path: str, key: str | None, status: int, code: str, **parameters: str) -> list[str]:
    """Asks in both formats for an error; gives its texts."""
    phrase = HTTPStatus(status).phrase
    response = server.get(path, key, **parameters)
    envelope = response.json()
    assert (response.status_code, envelope["authenticationResultCode"]) == (status, code)
    assert (envelope["statusCode"], envelope["statusDescription"], envelope["resourceSets"]) == (status, phrase, [])
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    if "o" not in parameters:
        response = server.get(path, key, o="xml", **parameters)
        assert response.headers["content-type"] == "application/xml; charset=utf-8"
        answer = etree.fromstring(response.content)
        assert [answer.findtext("{*}" + name) for name in ("StatusCode", "StatusDescription")] == [str(status), phrase]
        assert (response.status_code, answer.findtext("{*}AuthenticationResultCode")) == (status, code)
        assert [text.text for text in answer.iterfind("{*}ErrorDetails/{*}string")] == envelope["errorDetails"]
        assert answer.find("{*}ResourceSets") is not None
        assert answer.find("{*}ResourceSets/*") is None
    assert envelope["errorDetails"]
    assert all(envelope["errorDetails"])
    return list(envelope["errorDetails"])


@pytest.mark.parametrize("path", ["Dataflows/ListJobs", "data/jobs/some/$getstatus"])
def test_no_key_an_unknown_and_an_expired_key(path: str, guarded: LiveServer) -> None:
    expect(guarded, path, None, 401, "NoCredentials")
    expect(guarded, path, "", 401, "NoCredentials")
    expect(guarded, path, "unheard-of", 401, "InvalidCredentials")
    expect(guarded, path, "Master-Key", 401, "InvalidCredentials")
    expect(guarded, path, "expired", 401, "CredentialsExpired")


def test_a_malformed_parameter(guarded: LiveServer) -> None:
    (detail,) = expect(guarded, "Dataflows/ListJobs", "master-key", 400, "ValidCredentials", o="pdf")
    assert "output" in detail
    assert "json, xml" in detail


@pytest.mark.parametrize("path", [path for path in PATHS if "ListJobs" not in path])
def test_no_such_job(path: str, guarded: LiveServer) -> None:
    expect(guarded, path, "master-key", 404, "ValidCredentials")


@pytest.mark.parametrize("path", ["/favicon.ico", "/REST/v1", "/REST/v1/../../etc/passwd"])
@pytest.mark.parametrize("key", [None, "master-key", "unheard-of"])
def test_no_such_path(path: str, key: str | None, guarded: LiveServer) -> None:
    parameters = {} if key is None else {"key": key}
    for method in ("GET", "POST"):
        response = guarded.client.request(method, guarded.url + path, params=parameters)
        assert (response.status_code, response.json()["authenticationResultCode"]) == (404, "None")
        assert response.json()["errorDetails"]
    response = guarded.client.get(guarded.url + path, params={"o": "xml"})
    assert etree.fromstring(response.content).findtext("{*}StatusCode") == "404"


@pytest.mark.parametrize("method", ["POST", "BREW"])
def test_a_wrong_method_names_the_allowed_ones(method: str, guarded: LiveServer) -> None:
    response = guarded.client.request(method, f"{guarded.url}/REST/v1/Dataflows/ListJobs", params={"key": "master-key"})
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")
    assert response.json()["authenticationResultCode"] == "None"
    assert response.json()["errorDetails"]


def test_the_key_is_judged_before_parameters_and_storage(guarded: LiveServer, account: Storage) -> None:
    known = account.job(DataSourceName="Shop")
    for path in (
        f"Dataflows/LoadDataSource/{known}",
        "Dataflows/LoadDataSource/none",
        "Dataflows/DataSourceDownload/a.b",
    ):
        for parameters in ({}, {"o": "pdf"}):
            expect(guarded, path, None, 401, "NoCredentials", **parameters)
            expect(guarded, path, "unheard-of", 401, "InvalidCredentials", **parameters)
            expect(guarded, path, "expired", 401, "CredentialsExpired", **parameters)
            expect(guarded, path, QUERY, 401, "NotAuthorized", **parameters)
            expect(guarded, path, "refused-query", 401, "NotAuthorized", **parameters)
            expect(guarded, path, "refused-expired", 401, "CredentialsExpired", **parameters)
    expect(guarded, "Dataflows/Geocode/some", "refused-other", 401, "NotAuthorized")
    expect(guarded, "Dataflows/Geocode/some", "refused-other", 401, "NotAuthorized", o="pdf")


def test_parameters_are_judged_before_storage(guarded: LiveServer) -> None:
    for path in PATHS:
        expect(guarded, path, "refused", 400, "ValidCredentials", o="pdf")


def test_errors_hold_no_key_and_are_not_cached(guarded: LiveServer) -> None:
    for key in ("unheard-of-secret", "master-key", "refused"):
        for path in (*PATHS, "nowhere"):
            for output in ("json", "xml", "pdf"):
                response = guarded.get(path, key, o=output)
                assert "-secret" not in response.text
                assert "master-key" not in response.text
                assert "AccountKey" not in response.text
                assert response.headers["cache-control"] == "no-store"
