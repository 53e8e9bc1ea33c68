"""Two accounts behind one nginx that keeps connections to the proxy, and passes an upgrade on as for web sockets."""

import asyncio
import json
import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from benchmarks.soak.clients import Connection, LostError, request
from benchmarks.soak.server import logged
from tests.support.live import MASTER
from tests.support.processes import free_port, settings_of
from tests.support.storage import Storage

pytestmark = pytest.mark.slow

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")

OTHER = "other-key"
ANSWERS = 3_000
CLIENTS = 4
START_SECONDS = 60

# The lines that nginx's own documents give for web sockets, in front of every path.
_CONFIGURATION = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  scgi_temp_path {folder}/scgi; uwsgi_temp_path {folder}/uwsgi;
  map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
  upstream sds {{ server 127.0.0.1:{upstream}; keepalive 4; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://sds; proxy_http_version 1.1; proxy_set_header Host $host;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
    }}
  }}
}}
"""


@contextmanager
def nginx(upstream: int) -> Iterator[int]:
    """Runs an nginx in front of a port; gives its own."""
    assert NGINX is not None
    port = free_port()
    with TemporaryDirectory() as folder:
        file = Path(folder) / "nginx.conf"
        file.write_text(_CONFIGURATION.format(folder=folder, upstream=upstream, port=port), encoding="utf-8")
        log = Path(folder) / "error.log"
        process = subprocess.Popen([NGINX, "-c", str(file), "-e", str(log)])
        try:
            until = time.monotonic() + START_SECONDS
            while not (Path(folder) / "pid").exists():
                assert process.poll() is None, log.read_text(encoding="utf-8")
                assert time.monotonic() < until
                time.sleep(0.02)
            yield port
        finally:
            process.terminate()
            process.wait(START_SECONDS)


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_two_accounts_behind_a_gateway_get_their_own_answers(storage: Storage) -> None:
    other = replace(storage, account=f"{storage.account}-other")
    jobs = {MASTER: storage.job("Geocode"), OTHER: other.job("Geocode")}
    settings = settings_of(storage) | {"storage_timeout": 20}
    ring = json.loads(str(settings["keyring"]))
    ring["accounts"][other.account] = ring["accounts"][storage.account]
    ring["keys"][OTHER] = {"account": other.account}
    with logged(**settings | {"keyring": json.dumps(ring)}) as server, nginx(server.port) as port:
        counted = asyncio.run(_mixed(port, jobs))
        assert server.mishaps() == 0
    assert counted["smuggled"] >= ANSWERS / 20
    assert (counted["other's"], counted["odd"]) == (0, 0)
    assert counted["own"] >= ANSWERS


async def _mixed(port: int, jobs: dict[str, str]) -> Counter[str]:
    """Both accounts ask; one of them puts requests into bodies behind an upgrade."""
    counted: Counter[str] = Counter()

    def goes_on() -> bool:
        return counted["own"] + counted["other's"] < ANSWERS

    async def ask(key: str, *, smuggles: bool) -> None:
        asked = request("Dataflows/ListJobs", key)
        connection = await Connection.open(port)
        while goes_on():
            try:
                if smuggles:
                    counted["smuggled"] += 1
                    await connection.ask(_smuggling(asked))
                answer = await connection.ask(asked)
            except LostError:
                connection = await Connection.open(port)
                counted["odd"] += not smuggles
                continue
            found = set(re.findall(rb"[0-9a-f]{32}", answer.body)) & {job.encode() for job in jobs.values()}
            counted["own" if found == {jobs[key].encode()} else "other's" if found else "odd"] += 1
            if not connection.is_usable:
                connection = await Connection.open(port)
        connection.close()

    clients = [ask(MASTER, smuggles=False) for _ in range(CLIENTS)]
    await asyncio.gather(*clients, *(ask(OTHER, smuggles=True) for _ in range(CLIENTS)))
    return counted


def _smuggling(asked: bytes) -> bytes:
    """A request without a key, which asks for an upgrade and has another request as its body."""
    head = "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    return f"{head}Content-Length: {len(asked)}\r\n\r\n".encode() + asked
