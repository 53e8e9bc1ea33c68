"""`deploy/gateway/nginx.conf`, run as it stands but for ports and paths, in front of a server."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from tests.support.live import MASTER, WAIT_SECONDS, wait_for
from tests.support.processes import ROOT, free_port, serving, settings_of
from tests.support.storage import Storage

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
FILE = ROOT / "deploy" / "gateway" / "nginx.conf"
MEGABYTE = 1024 * 1024
ERROR = b"The data is larger than is allowed."
LOAD = {"dataSourceName": "Shops", "loadOperation": "complete", "input": "csv", "key": MASTER}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed; on Debian: apt-get install nginx-light"),
]


@dataclass(frozen=True)
class Gateway:
    """A running nginx, with its two ports."""

    folder: Path
    plain: int
    tls: int

    def url(self, scheme: str) -> str:
        return f"{scheme}://127.0.0.1:{self.tls if scheme == 'https' else self.plain}/REST/v1/Dataflows"

    @property
    def bodies(self) -> list[Path]:
        """Request bodies that nginx has written to its disk."""
        return [path for path in (self.folder / "body").rglob("*") if path.is_file()]


def configuration(folder: Path, upstream: int, plain: int, tls: int) -> str:
    """The shipped file, for this machine; each replaced text must stand in it once."""
    text = FILE.read_text(encoding="utf-8")
    here = {
        "server 127.0.0.1:8080;": f"server 127.0.0.1:{upstream};",
        "listen 443 ssl;": f"listen 127.0.0.1:{tls} ssl;",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "/var/log/nginx/spatial-data-proxy.log": f"{folder}/access.log",
        "/var/log/nginx/error.log": f"{folder}/error.log",
        "/etc/nginx/spatial.pem": f"{folder}/spatial.pem",
        "/etc/nginx/spatial.key": f"{folder}/spatial.key",
        "worker_processes auto;": "worker_processes 1;",
    }
    for old, new in here.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    names = ("body:client_body", "proxy:proxy", "fastcgi:fastcgi", "scgi:scgi", "uwsgi:uwsgi")
    paths = "".join(f"{kind}_temp_path {folder}/{name};" for name, kind in (each.split(":") for each in names))
    return f"daemon off; master_process off; pid {folder}/pid;\n" + text.replace("http {", "http {" + paths, 1)


@contextmanager
def gateway(folder: Path, upstream: int) -> Iterator[Gateway]:
    assert NGINX is not None
    certificate = ("-keyout", "spatial.key", "-out", "spatial.pem", "-subj", "/CN=spatial.example.com", "-days", "2")
    subprocess.run(["openssl", "req", "-x509", "-nodes", *certificate], cwd=folder, check=True, capture_output=True)
    started = Gateway(folder, free_port(), free_port())
    file = folder / "nginx.conf"
    file.write_text(configuration(folder, upstream, started.plain, started.tls))
    with subprocess.Popen([NGINX, "-p", folder, "-e", f"{folder}/start.log", "-c", file]) as process:
        try:
            end = time.monotonic() + WAIT_SECONDS
            while True:
                try:
                    httpx.get(f"http://127.0.0.1:{started.plain}/livez")
                    break
                except httpx.TransportError:
                    assert process.poll() is None, (folder / "start.log").read_text()
                    assert time.monotonic() < end
                    time.sleep(0.05)
            yield started
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def nginx(account: Storage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """The gateway in front of a server that trusts it and links by the scheme of the request."""
    settings = settings_of(account) | {"trusted_proxies": "127.0.0.1", "link_scheme": "request"}
    with serving(**settings) as server:
        server.wait_until_ready()
        with gateway(tmp_path_factory.mktemp("nginx"), server.port) as running:
            yield running


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(verify=False, timeout=60) as opened:  # noqa: S501 - the certificate is for another name
        yield opened


def test_a_load_of_20_mb_streams_through_nginx(nginx: Gateway, client: httpx.Client, account: Storage) -> None:
    written: list[Path] = []

    def body() -> Iterator[bytes]:
        for _ in range(20):
            yield bytes(MEGABYTE)
            written.extend(nginx.bodies)

    response = client.post(f"{nginx.url('https')}/LoadDataSource", params=LOAD, content=body())
    assert response.status_code == 201
    assert written == []
    blobs = account.blobs.get_container_client("uploads").list_blobs(name_starts_with=f"{account.account}/")
    assert [blob.size for blob in blobs] == [20 * MEGABYTE]


def test_a_load_over_the_limit_gets_the_proxys_own_error(nginx: Gateway) -> None:
    target = f"/REST/v1/Dataflows/LoadDataSource?{urlencode(LOAD)}"
    head = f"POST {target} HTTP/1.1\r\nHost: spatial.example.com\r\nContent-Length: {301 * MEGABYTE}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", nginx.plain), timeout=WAIT_SECONDS) as connection:
        connection.sendall(head.encode() + bytes(1024))
        answer = b""
        while ERROR not in answer and (data := connection.recv(65536)):
            answer += data
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert ERROR in answer


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_links_have_the_scheme_of_the_clients_request(
    scheme: str, nginx: Gateway, client: httpx.Client, account: Storage
) -> None:
    job = account.job()
    answer = client.get(f"{nginx.url(scheme)}/LoadDataSource/{job}", params={"key": MASTER}).json()
    (resource,) = answer["resourceSets"][0]["resources"]
    assert resource["links"][0]["url"].startswith(f"{scheme}://")


def test_odd_names_pass_nginx_as_they_are(nginx: Gateway, client: httpx.Client, account: Storage) -> None:
    account.download("Coffee-~`!$^_={}")
    path = "DataSourceDownload/Coffee-~%60!$%5E_=%7B%7D"
    assert client.get(f"{nginx.url('http')}/{path}", params={"key": MASTER}).status_code == 200


def test_nginx_logs_no_key(nginx: Gateway, client: httpx.Client) -> None:
    client.get(f"{nginx.url('https')}/ListJobs", params={"key": MASTER})
    log = nginx.folder / "access.log"
    wait_for(lambda: "/REST/v1/Dataflows/ListJobs" in log.read_text())  # nginx writes it after the response
    assert MASTER not in log.read_text() + (nginx.folder / "error.log").read_text()
