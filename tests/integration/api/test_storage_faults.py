"""wire-contract.md, section 5: whatever storage does, the answer is a 503 in time, never a 404."""

import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from lxml import etree

from adapters.credentials.connection_string import EMULATOR_KEY
from tests.support.job_samples import OUTPUT_PATHS, STATUS_PATHS
from tests.support.live import LiveServer, start_server, wait_for
from tests.support.storage import BUSY_SECONDS, Storage
from tests.support.stub_servers import (
    Serve,
    closed_port,
    connection_string,
    drip,
    hang,
    hang_up,
    listening,
    saying,
)

SECONDS = 0.3

JSON = "Content-Type: application/json"
STAND_INS: dict[str, Serve] = {
    "hanging": hang,
    "hanging up": hang_up,
    "dripping": drip,
    "HTML": saying("200 OK", b"<!DOCTYPE html><title>Sign in</title>", "Content-Type: text/html"),
    "HTML 404": saying("404 Not Found", b"<html>nothing here</html>", "Content-Type: text/html"),
    "empty 404": saying("404 Not Found", b""),
    "JSON of another service": saying("404 Not Found", b'{"error":"no"}', JSON),
    "no table": saying(
        "404 Not Found", b'{"odata.error":{"code":"TableNotFound","message":{"lang":"en","value":"x"}}}', JSON
    ),
    "cut JSON": saying("200 OK", b'{"PartitionKey":"a","RowKey":', JSON),
    "half an answer": saying("200 OK", b'{"value":[', JSON, cut=100),
    "empty": saying("200 OK", b"", JSON),
    "a list": saying("200 OK", b"[]", JSON),
    "a number": saying("200 OK", b"1", JSON),
    "null": saying("200 OK", b"null", JSON),
    "rows of nothing": saying("200 OK", b'{"value":[1,null,"x"]}', JSON),
    "another row": saying("200 OK", b'{"PartitionKey":"a","RowKey":"b","value":5}', JSON),
    "not UTF-8": saying("200 OK", b'{"RowKey":"\xff\xfe"}', JSON),
    "deep": saying("200 OK", b"[" * 100_000, JSON),
    "no gzip": saying("200 OK", b"plain", JSON, "Content-Encoding: gzip"),
    "redirect": saying("302 Found", b"", "Location: /elsewhere"),
    "204": saying("204 No Content", b""),
    "400": saying("400 Bad Request", b"{}", JSON),
    "401": saying("401 Unauthorized", b"", "WWW-Authenticate: Bearer"),
    "403": saying("403 Forbidden", b'{"odata.error":{"code":"AuthenticationFailed"}}', JSON),
    "429": saying("429 Too Many Requests", b"", "Retry-After: 30"),
    "500": saying("500 Internal Server Error", b"oops"),
    "503": saying("503 Server Busy", b'{"odata.error":{"code":"ServerBusy"}}', JSON),
    "not HTTP": lambda connected: connected.sendall(b"SSH-2.0-OpenSSH_9.6\r\n"),
}
OTHERS = ("refusing", "wrong key", "no such host", "unusable")
ASKED = ("Dataflows/ListJobs", "Dataflows/LoadDataSource/" + "0" * 32, "Dataflows/DataSourceDownload/Shop")


@pytest.fixture(scope="module")
def broken(account: Storage) -> Iterator[LiveServer]:
    """A server with an account for each fault, its key named like it, besides one that is well."""
    wrong = account.connection_string.replace(EMULATOR_KEY, "d3Jvbmc=")
    with ExitStack() as stack:
        strings = {
            name: connection_string(stack.enter_context(listening(serve))) for name, serve in STAND_INS.items()
        } | {
            "refusing": connection_string(stack.enter_context(closed_port())),
            "wrong key": wrong,
            "no such host": connection_string(1).replace("127.0.0.1", "nowhere.invalid"),
            "unusable": "AccountName=contoso",
        }
        yield stack.enter_context(
            start_server(
                account,
                storage_timeout=SECONDS,
                accounts={name: {"storage": {"connection_string": text}} for name, text in strings.items()},
                keys={name: {"account": name} for name in strings},
            )
        )


@pytest.mark.parametrize("fault", [*STAND_INS, *OTHERS])
def test_a_storage_fault_is_a_503_within_the_deadline(fault: str, broken: LiveServer) -> None:
    started = time.monotonic()
    with ThreadPoolExecutor() as threads:
        responses = list(threads.map(lambda path: broken.get(path, key=fault), ASKED))
    assert time.monotonic() - started < SECONDS + BUSY_SECONDS  # a client that nobody answers would wait much longer
    for response in responses:
        envelope = response.json()
        assert (response.status_code, envelope["statusCode"]) == (503, 503)
        assert envelope["statusDescription"] == "Service Unavailable"
        assert envelope["authenticationResultCode"] == "ValidCredentials"
        assert envelope["resourceSets"] == []
        assert envelope["errorDetails"]
        assert 1 <= int(response.headers["retry-after"]) <= 60


@pytest.mark.parametrize("path", ["Dataflows/ListJobs", STATUS_PATHS[0].format("some"), OUTPUT_PATHS[0].format("some")])
def test_every_path_shows_a_storage_error(path: str, broken: LiveServer) -> None:
    response = broken.get(path, key="403", o="xml")
    assert (response.status_code, int(response.headers["retry-after"]) > 0) == (503, True)
    answer = etree.fromstring(response.content)
    assert answer.findtext("{*}StatusCode") == "503"
    assert answer.findtext("{*}ErrorDetails/{*}string")
    head = broken.client.head(f"{broken.url}/REST/v1/{path}", params={"key": "403"})
    assert (head.status_code, head.content) == (503, b"")


def test_a_missing_table_is_a_503(storage: Storage, server: LiveServer) -> None:
    job_id = storage.job()
    assert server.get(f"Dataflows/LoadDataSource/{job_id}").status_code == 200
    paths = ("Dataflows/ListJobs", f"Dataflows/LoadDataSource/{storage.account}", "Dataflows/Geocode/x")

    def is_missing_everywhere() -> bool:
        storage.table.delete_table()  # again where the server, slow to start, has just created it
        return all(server.get(path).status_code == 503 for path in paths)

    wait_for(is_missing_everywhere)


def test_a_fault_is_in_the_log_with_a_hint_and_without_secrets(
    broken: LiveServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proxy.observability.fault_log.INTERVAL_SECONDS", 0.0)  # another test met the same error
    found: list[tuple[dict[str, Any], logging.LogRecord]] = []

    def is_refused() -> bool:
        answer = broken.json("Dataflows/ListJobs", key="wrong key")
        records = [each for each in caplog.records if each.__dict__.get("trace_id") == answer["traceId"]]
        (record,) = [each for each in records if "hint" in each.__dict__]
        found[:] = [(answer, record)]
        return "timeout" not in record.getMessage()  # a busy machine misses the short deadline, which is another fault

    wait_for(is_refused)
    ((answer, record),) = found
    assert (record.__dict__["account"], "refused" in record.getMessage()) == ("wrong key", True)
    for secret in (EMULATOR_KEY, "d3Jvbmc=", "sig=", "127.0.0.1"):
        assert secret not in caplog.text
        assert secret not in str(answer)
