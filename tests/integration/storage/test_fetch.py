"""A caller-supplied URL is fetched where it is allowed, without server-side request forgery."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.account import AccountStorage
from adapters.model.jobs import BlobPath
from adapters.remote.fetch import FetchError, check_location, fetch_location
from tests.support.opened_account import SECONDS
from tests.support.storage import Storage
from tests.support.stub_servers import Serve, closed_port, drip, hang, hang_up, listening, saying

pytestmark = pytest.mark.anyio

HOSTS = frozenset({"data.example.net", "1.1.1.1", "127.0.0.1", "169.254.169.254", "2606:4700::1111", "::1"})
HOSTS |= {"::ffff:127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "localhost", "odd.example.net:8443", "1"}
OWN = "https://contosodata.blob.core.windows.net"
SECRET = "?sig=hunter2"  # noqa: S105 - opens nothing


def refusal(url: str, own: str = OWN) -> str:
    with pytest.raises(FetchError) as caught:
        check_location(url, HOSTS, own)
    assert "hunter2" not in str(caught.value)
    assert not caught.value.is_transient
    return str(caught.value)


@pytest.mark.parametrize(
    ("url", "requested"),
    [
        ("https://data.example.net/a", "https://data.example.net/a"),
        ("https://DATA.Example.NET/A", "https://data.example.net/A"),
        ("HTTPS://data.example.net:443/a", "https://data.example.net/a"),
        ("https://odd.example.net:8443/a", "https://odd.example.net:8443/a"),
        ("https://1.1.1.1/a", "https://1.1.1.1/a"),
        ("https://[2606:4700::1111]/a", "https://[2606:4700::1111]/a"),
        ("https://data.example.net/a?sv=1&sig=a%2Bb%3D#part", "https://data.example.net/a?sv=1&sig=a%2Bb%3D"),
        ("https://data.example.net/ü b", "https://data.example.net/%C3%BC%20b"),
        (f"{OWN}/uploads/a.xml?sig=x", f"{OWN}/uploads/a.xml?sig=x"),
        ("https://contosodata.blob.core.windows.net:443/a", f"{OWN}/a"),
    ],
)
def test_allowed_location_is_requested_unchanged(url: str, requested: str) -> None:
    assert str(check_location(url, HOSTS, OWN)).lower() == requested.lower()


OTHER_HOSTS = """
    https://other.example.net/a https://data.example.net.evil.net/a https://evil.data.example.net/a
    https://data.example.net./a https://data.example.net:8443/a https://odd.example.net/a
    https://contosodata.blob.core.windows.net:444/a https://contosodata.blob.core.windows.net./a
    https://ⓓata.example.net/a https://data.example.net%2f@evil.net/a https://data.example.net%00.evil.net/
    https://evil.net#@data.example.net/ https://evil.net?@data.example.net/ https://evil.net/@data.example.net/
"""


@pytest.mark.parametrize("url", OTHER_HOSTS.split())
def test_location_on_another_host_or_port_is_refused(url: str) -> None:
    assert "may not be fetched from" in refusal(url + SECRET) or "user's name" in refusal(url + SECRET)


PRIVATE = "127.0.0.1 169.254.169.254 [::1] [::ffff:127.0.0.1] 2130706433 0x7f.1 0177.0.0.1 127.1 1"


@pytest.mark.parametrize("host", PRIVATE.split())
def test_private_or_numeric_host_is_refused_even_if_configured(host: str) -> None:
    assert "not on the public internet" in refusal(f"https://{host}/a{SECRET}")


@pytest.mark.parametrize(
    "url", ["https://u@data.example.net/", "https://u:p@data.example.net/", "https://:p@data.example.net/"]
)
def test_location_with_a_user_is_refused(url: str) -> None:
    assert "user's name" in refusal(url + SECRET)


@pytest.mark.parametrize("url", ["http://data.example.net/a", "http://contosodata.blob.core.windows.net/a"])
def test_plain_http_is_refused(url: str) -> None:
    assert refusal(url + SECRET) == "the data location is not an https URL"


MALFORMED = r"""
    data.example.net/a //data.example.net/a ftp://data.example.net/a file:///etc/passwd gopher://data.example.net/
    javascript:alert(1) https:// https:///a https:/data.example.net/a https://data.example.net:0/
    https://data.example.net:x/ https://data.example.net:99999/ https://[::1 https://[data.example.net]/
    https://data.example.net\@evil.net/
"""


@pytest.mark.parametrize("url", ["", "\x00https://data.example.net/", "\ud800", *MALFORMED.split()])
def test_malformed_location_is_refused(url: str) -> None:
    assert refusal(url + SECRET).startswith("the data location is not a")


def test_own_endpoint_is_exempt_and_its_neighbours_are_not() -> None:
    own = "http://127.0.0.1:10000/devstoreaccount1"
    assert str(check_location(f"{own}/a?sig=x", HOSTS, own)) == f"{own}/a?sig=x"
    for other in (
        "http://127.0.0.1:10001/a",
        "http://127.0.0.1/a",
        "https://127.0.0.1:10000/a",
        "http://localhost:10000/a",
    ):
        refusal(other + SECRET, own)


def fetch(
    url: str, file: Path, *, own: str = OWN, hosts: frozenset[str] = HOSTS, most: int = 1000, seconds: float = SECONDS
) -> None:
    asyncio.run(fetch_location(url, hosts, own, file, most, seconds))


def failure(url: str, file: Path, **options: Any) -> FetchError:
    with pytest.raises(FetchError) as caught:
        fetch(url, file, **options)
    assert not file.exists()
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    return caught.value


def failure_of(serve: Serve, file: Path, **options: Any) -> FetchError:
    with listening(serve) as port:
        return failure(f"http://127.0.0.1:{port}/a{SECRET}", file, own=f"http://127.0.0.1:{port}", **options)


async def test_own_blob_is_fetched_by_its_signed_link(
    account: AccountStorage, storage: Storage, tmp_path: Path
) -> None:
    path = BlobPath.parse(storage.export(b"x" * 3_000_000, "ü b.xml"))
    assert path is not None

    link = (await account.links.signer())(path)
    await fetch_location(link, frozenset(), account.blob_url, tmp_path / "file", 3_000_000, SECONDS)
    assert (tmp_path / "file").read_bytes() == b"x" * 3_000_000
    (tmp_path / "file").unlink()
    with pytest.raises(FetchError, match="more than 2999999 bytes"):
        await fetch_location(link, frozenset(), account.blob_url, tmp_path / "file", 2_999_999, SECONDS)
    with pytest.raises(FetchError, match="HTTP 40"):
        await fetch_location(link.partition("?")[0], frozenset(), account.blob_url, tmp_path / "file", 9, SECONDS)
    assert not (tmp_path / "file").exists()


def test_compressed_response_stays_compressed(tmp_path: Path) -> None:
    with listening(saying("200 OK", b"\x1f\x8bpacked", "Content-Encoding: gzip")) as port:
        url = f"http://127.0.0.1:{port}/a"
        fetch(url, tmp_path / "file", own=url)
    assert (tmp_path / "file").read_bytes() == b"\x1f\x8bpacked"


@pytest.mark.parametrize("status", [301, 302, 303, 304, 307, 308])
def test_redirect_is_not_followed(tmp_path: Path, status: int) -> None:
    received: list[bytes] = []
    with listening(lambda connected: received.append(connected.recv(1000))) as other:
        found = failure_of(saying(f"{status} X", b"", f"Location: http://127.0.0.1:{other}/"), tmp_path / "file")
    assert str(found) == "the data location answers with a redirect"
    assert not found.is_transient
    assert received == []


@pytest.mark.parametrize(("status", "passing"), [(204, False), (403, False), (404, False), (500, True), (503, True)])
def test_error_status_is_reported_and_5xx_is_transient(tmp_path: Path, status: int, passing: bool) -> None:  # noqa: FBT001 - a case
    found = failure_of(saying(f"{status} X", b"" if status == 204 else b"hunter2"), tmp_path / "file")
    assert str(found) == f"the data location answers with HTTP {status}"
    assert found.is_transient is passing


def chunked(connected: socket.socket) -> None:
    """Sends without saying how much, and without an end."""
    connected.recv(65536)
    connected.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connected.sendall(b"400\r\n" + b"x" * 1024 + b"\r\n")


def test_too_large_response_is_refused_announced_or_not(tmp_path: Path) -> None:
    for serve in (saying("200 OK", b"x" * 1001), chunked):
        found = failure_of(serve, tmp_path / "file")
        assert str(found) == "the data location holds more than 1000 bytes"
        assert not found.is_transient


@pytest.mark.parametrize("serve", [hang, drip])
def test_endless_response_raises_in_time(tmp_path: Path, serve: Serve) -> None:
    found = failure_of(serve, tmp_path / "file", most=10**6, seconds=0.4)
    assert str(found) == "the data location did not give all within 0.4 seconds"
    assert found.is_transient


@pytest.mark.parametrize("serve", [hang_up, saying("200 OK", b"x", cut=5), saying("nonsense", b"")])
def test_broken_response_is_transient(tmp_path: Path, serve: Serve) -> None:
    found = failure_of(serve, tmp_path / "file")
    assert str(found).startswith("the data location can't be reached: ")
    assert found.is_transient


def test_closed_port_is_reported(tmp_path: Path) -> None:
    with closed_port() as port:
        url = f"http://127.0.0.1:{port}/a"
        assert "can't be reached" in str(failure(url + SECRET, tmp_path / "file", own=url))


def test_disk_failure_is_not_a_fetch_error(tmp_path: Path) -> None:
    with listening(saying("200 OK", b"data")) as port, pytest.raises(FileNotFoundError):
        fetch(f"http://127.0.0.1:{port}/a", tmp_path / "no folder" / "file", own=f"http://127.0.0.1:{port}")


def test_cancelled_fetch_leaves_no_file(tmp_path: Path) -> None:
    async def test(url: str) -> None:
        fetching = asyncio.create_task(fetch_location(url, HOSTS, url, tmp_path / "file", 10**9, SECONDS))
        async with asyncio.timeout(SECONDS):
            while not (tmp_path / "file").exists():  # noqa: ASYNC110 - a thread makes it
                await asyncio.sleep(0.01)
        fetching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await fetching

    with listening(chunked) as port:
        asyncio.run(test(f"http://127.0.0.1:{port}/a"))
    assert not (tmp_path / "file").exists()


FakeDns = Callable[..., list[str]]


@pytest.fixture
def fake_dns(monkeypatch: pytest.MonkeyPatch) -> FakeDns:
    """Sets the addresses of each name look-up in turn; returns the names that were looked up."""

    def resolve_to(*answers: list[str]) -> list[str]:
        left, resolved = list(answers), []

        async def getaddrinfo(_: object, host: str, port: int, **_options: object) -> list[Any]:
            resolved.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in left.pop(0)]

        monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
        return resolved

    return resolve_to


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.1.2.3"],
        ["169.254.169.254"],
        ["::1"],
        ["fe80::1%2"],
        ["::ffff:10.0.0.1"],
        ["1.1.1.1", "10.0.0.1"],
    ],
    ids=str,
)
def test_name_of_a_private_address_is_refused(fake_dns: FakeDns, tmp_path: Path, addresses: list[str]) -> None:
    fake_dns(addresses)
    found = failure(f"https://data.example.net/a{SECRET}", tmp_path / "file")
    assert "not on the public internet" in str(found)


def test_localhost_is_refused(tmp_path: Path) -> None:
    assert "not on the public internet" in str(failure(f"https://localhost/a{SECRET}", tmp_path / "file"))


def test_resolved_address_is_pinned(fake_dns: FakeDns, tmp_path: Path) -> None:
    with listening(saying("200 OK", b"data")) as port:
        resolved = fake_dns(["127.0.0.1"], ["127.0.0.2"])
        own = f"http://own.example.net:{port}"
        fetch(f"{own}/a", tmp_path / "file", own=own)
    assert (tmp_path / "file").read_bytes() == b"data"
    assert resolved == ["own.example.net"]


def test_unknown_name_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def getaddrinfo(*_: object, **_options: object) -> None:
        raise socket.gaierror

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    assert "can't be reached" in str(failure(f"https://data.example.net/a{SECRET}", tmp_path / "file"))


def test_environment_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with listening(saying("200 OK", b"data")) as port:
        url = f"http://127.0.0.1:{port}/a"
        fetch(url, tmp_path / "file", own=url)
    assert (tmp_path / "file").read_bytes() == b"data"
