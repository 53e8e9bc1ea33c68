"""A sample of the reads goes to another endpoint too (operations contract, section 4)."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from proxy.api.shadow import MARKER, MOST_UNDER_WAY
from proxy.comparison.difference import compare_answers
from tests.integration.conformance.endpoints import Answer, behind_tls, scripted
from tests.support.entra import Certificate, make_certificate
from tests.support.live import MASTER, WAIT_SECONDS, LiveServer, start_server, wait_for
from tests.support.storage import Storage

SHADOWED = "shadowed-key"
HOST = "other.example.com"
Change = Callable[[str, bytes], bytes]


def same(_path: str, body: bytes) -> bytes:
    return body


@dataclass
class Other:
    """The other side: it answers what our own server answers, with a change, and counts outcomes."""

    server: LiveServer
    requests: list[str]
    change: Change = same
    status: int = 0
    gate: threading.Event | None = None
    counted: list[tuple[str, str]] = field(default_factory=list)

    def answer(self, target: str) -> Answer:
        if self.gate is not None:
            self.gate.wait(WAIT_SECONDS)
        ours = self.server.client.get(self.server.url + target, headers={MARKER: "1"})
        headers = tuple((name, value) for name, value in ours.headers.items() if name != "content-length")
        return Answer(self.change(target, ours.content), self.status or ours.status_code, headers)

    def until(self, *outcomes: str) -> None:
        """Waits until the shadows of a test have ended, so many and no more."""
        wait_for(lambda: len(self.counted) >= len(outcomes))
        assert sorted(outcome for _, outcome in self.counted) == sorted(outcomes)


@contextmanager
def shadowing(storage: Storage, certificate: Certificate, **settings: Any) -> Iterator[Other]:
    """A server with a shadow, which trusts the other side's certificate."""
    others: list[Other] = []

    def answer(target: str) -> Answer:
        return others[0].answer(target)

    with pytest.MonkeyPatch.context() as patch, scripted(answer) as (url, requests):
        patch.setattr("proxy.api.shadow.SECONDS", WAIT_SECONDS)
        patch.setenv("SSL_CERT_FILE", str(certificate.certificate))
        with behind_tls(certificate, int(url.rpartition(":")[2]), []) as port:
            chosen: dict[str, Any] = {
                "shadow_url": f"https://{HOST}:{port}",
                "shadow_address": "127.0.0.1",
                "shadow_sample": 1,
            }
            keys = {SHADOWED: {"account": storage.account, "name": "CRM", "shadow": True}}
            counted: list[tuple[str, str]] = []

            def count(_self: object, _account: str, operation: str, outcome: str) -> None:
                counted.append((operation, outcome))

            patch.setattr("proxy.observability.request_observer.RequestObserver.count_shadow", count)
            with start_server(storage, keys=keys, **chosen | settings) as server:
                others.append(Other(server, requests, counted=counted))
                yield others[0]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """That of the other side."""
    return make_certificate(tmp_path_factory.mktemp("tls"), HOST)


@pytest.fixture
def other(storage: Storage, certificate: Certificate) -> Iterator[Other]:
    """A server whose reads are all sent on."""
    with shadowing(storage, certificate) as started:
        yield started


READS = [
    "Dataflows/ListJobs",
    "Dataflows/LoadDataSource/{job}",
    "Dataflows/LoadDataSource/nobody",
    "data",
    "data/$metadata",
    "data/$GetPublicDataSourceList",
]


def test_equal_answers_are_counted_and_not_logged(
    other: Other, storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    job = storage.job()
    for path in READS:
        other.server.get(path.format(job=job), SHADOWED)
    other.until(*["same"] * len(READS))
    assert "shadow:" not in caplog.text
    assert [request.split()[0] for request in other.requests] == ["GET"] * len(READS)


def test_a_poll_from_the_response_cache_is_sent_too(storage: Storage, certificate: Certificate) -> None:
    job = storage.job()
    with shadowing(storage, certificate, finished_ttl=300, pending_ttl=300) as other:
        for _ in range(3):
            assert other.server.job(f"Dataflows/LoadDataSource/{job}", SHADOWED)["id"]
        other.until("same", "same", "same")


def test_a_difference_is_one_line_with_members_and_no_value(
    other: Other, storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    job = storage.job()
    other.change = lambda _, body: body.replace(b'"Completed"', b'"Pending"')
    other.server.get(f"Dataflows/LoadDataSource/{job}", SHADOWED)
    other.until("different")
    (record,) = [each for each in caplog.records if each.name == "proxy.shadow"]
    line = record.getMessage()
    assert line.startswith("shadow: 1 members differ (left is the shadow): resourceSets")
    assert "status" in line
    shown = {name: vars(record)[name] for name in ("levelno", "operation", "account", "key")}
    expected = {"operation": "job_status", "account": storage.account, "key": "CRM"}
    assert shown == expected | {"levelno": logging.WARNING}
    for hidden in (SHADOWED, MASTER, "Completed", "Pending", "http", job):
        assert hidden not in line


def test_a_line_is_shorter_than_a_kilobyte(other: Other, storage: Storage, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(60):
        storage.job()
    other.change = lambda _, body: body.replace(b"ntityCount", b"ntityCounts")
    other.server.get("Dataflows/ListJobs", SHADOWED)
    other.until("different")
    (line,) = [each.getMessage() for each in caplog.records if each.name == "proxy.shadow"]
    assert len(line) < 1000


def test_a_line_holds_no_key_and_no_link_that_the_other_side_writes_as_names(
    other: Other, storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    job = storage.job()
    name = f"https://evil/?key={SHADOWED}&\u2028\U0001f600"
    other.change = lambda _, body: body.replace(b'"status"', f'"{name}"'.encode())
    other.server.get(f"Dataflows/LoadDataSource/{job}", SHADOWED)
    other.until("different")
    (line,) = [each.getMessage() for each in caplog.records if each.name == "proxy.shadow"]
    assert line.isascii()
    assert not {"/", "=", "&"} & set(line)
    assert SHADOWED not in line
    assert "https:??evil" in line


def test_answers_are_compared_one_at_a_time(other: Other, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once, most = threading.BoundedSemaphore(1), list[bool]()

    def compare_slowly(*arguments: Any) -> Any:
        most.append(at_once.acquire(blocking=False))
        time.sleep(0.02)
        verdict = compare_answers(*arguments)
        at_once.release()
        return verdict

    monkeypatch.setattr("proxy.api.shadow.compare_answers", compare_slowly)
    other.gate = threading.Event()
    for _ in range(MOST_UNDER_WAY):
        other.server.get("Dataflows/ListJobs", SHADOWED)
    other.gate.set()
    other.until(*["same"] * MOST_UNDER_WAY)
    assert most == [True] * MOST_UNDER_WAY


def test_the_request_has_path_query_accept_and_marker_and_nothing_else(other: Other) -> None:
    url = f"{other.server.url}/REST/v1/dataflows/LISTJOBS?o=xml&Key={SHADOWED}&x=%20y"
    headers = {"Accept": "text/xml", "Cookie": "a=b", "Authorization": "Bearer x", "User-Agent": "CRM"}
    other.server.client.get(url, headers=headers)
    other.until("same")
    line, *fields = other.requests[0].strip().splitlines()
    assert line.split()[1] == f"/REST/v1/dataflows/LISTJOBS?o=xml&Key={SHADOWED}&x=%20y"
    assert {field.partition(":")[0] for field in fields if field} == {"Host", "Accept", MARKER}
    assert f"Host: {HOST}" in other.requests[0]
    assert "Accept: text/xml" in fields


# Reads to us. A server that decodes a path before it splits it, or twice, would create a job, or leave the API.
DISGUISED = [
    "Dataflows/DataSourceDownload/accessid%2FShops",
    "dataflows/DATASOURCEDOWNLOAD/accessid%252fShops",
    "Dataflows/DataSourceRollback/accessid%5CShops",
    "data/accessid/Shops/%2524commit",
    "data/accessid/Shops/$update",
    "data/accessid/Shops%2F$commit",
    "data/accessid/%252e%252e/Shop",
]


def test_only_reads_of_marked_keys_are_sent(other: Other, storage: Storage) -> None:
    job, client, server = storage.job(), other.server.client, other.server
    path = f"Dataflows/LoadDataSource/{job}"
    server.get(path)  # a key that is not marked
    server.get(path, "a-key-that-nobody-has")
    server.get(path, None)
    server.get(f"{path}/output/succeeded", SHADOWED)  # a link
    server.get("Dataflows/DataSourceDownload/accessid/Shops", SHADOWED)  # creates a job
    for disguised in DISGUISED:
        server.get(disguised, SHADOWED)
    url = f"{server.url}/REST/v1/{path}"
    client.head(url, params={"key": SHADOWED})
    client.post(f"{server.url}/REST/v1/Dataflows/LoadDataSource", params={"key": SHADOWED}, content=b"x")
    client.delete(f"{server.url}/REST/v1/data/accessid/Shops", params={"key": SHADOWED})
    client.get(url, params={"key": SHADOWED}, headers={MARKER: "1"})  # it is a shadow itself
    server.get(path, SHADOWED)
    other.until("same")
    assert len(other.requests) == 1


def test_without_a_sample_nothing_is_sent(storage: Storage, certificate: Certificate) -> None:
    with shadowing(storage, certificate, shadow_sample=0) as other:
        for _ in range(20):
            other.server.get("Dataflows/ListJobs", SHADOWED)
        assert (other.requests, other.counted) == ([], [])


def test_a_side_that_hangs_holds_nothing_up_and_the_rest_is_shed(other: Other) -> None:
    other.gate = threading.Event()
    for _ in range(MOST_UNDER_WAY + 5):  # all are answered before the other side answers one
        assert other.server.get("Dataflows/ListJobs", SHADOWED).status_code == 200
    wait_for(lambda: len(other.counted) >= 5)
    assert other.counted == [("job_list", "shed")] * 5
    other.gate.set()
    other.until(*["shed"] * 5, *["same"] * MOST_UNDER_WAY)


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (b"", "different"),
        (b"<html>503</html>", "not comparable"),
        (b"{", "different"),
        (b"[" * 5000, "different"),
        (b"x" * 1_100_000, "failed"),
    ],
)
def test_any_answer_of_the_other_side_is_an_outcome(
    other: Other, body: bytes, outcome: str, caplog: pytest.LogCaptureFixture
) -> None:
    other.change = lambda _path, _body: body
    assert other.server.get("Dataflows/ListJobs", SHADOWED).status_code == 200
    other.until(outcome)
    assert "unforeseen" not in caplog.text
    assert SHADOWED not in caplog.text


def test_a_side_that_is_not_there_or_not_trusted_is_a_failure(
    storage: Storage, certificate: Certificate, caplog: pytest.LogCaptureFixture
) -> None:
    with shadowing(storage, certificate, shadow_url="https://not-its-name.example.com:9") as other:
        other.server.get("Dataflows/ListJobs", SHADOWED)
        other.until("failed")
    with shadowing(storage, certificate) as other, pytest.MonkeyPatch.context():
        other.status = 302
        other.server.get("Dataflows/ListJobs", SHADOWED)
        other.until("different")
    assert SHADOWED not in caplog.text
