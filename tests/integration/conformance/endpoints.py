"""Endpoints for tests, scripted or behind TLS, and runs of the command against them."""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from proxy.cli.main import main
from proxy.comparison.origins import parse_base_url
from proxy.conformance.collector import collect
from proxy.conformance.recording import Recording
from proxy.conformance.target import Target
from tests.support.entra import Certificate
from tests.support.live import MASTER, QUERY, LiveServer
from tests.support.stub_servers import close, listening


@dataclass(frozen=True)
class Answer:
    """A scripted answer."""

    body: bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json; charset=utf-8"),)


@contextmanager
def scripted(script: Callable[[str], Answer]) -> Iterator[tuple[str, list[str]]]:
    """Answers GET and HEAD by a function of the path; yields the URL and the list of requests."""
    requests: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(f"{self.requestline}\n{self.headers}")
            answer = script(self.path)
            self.send_response(answer.status)
            for name, value in (*answer.headers, ("Content-Length", str(len(answer.body)))):
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(answer.body)

        do_HEAD = do_GET  # noqa: N815 - the standard library's name

        def log_message(self, *_: object) -> None:
            """Logs nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", requests
        server.shutdown()
        thread.join(5)


def list_of(*jobs: Mapping[str, object]) -> Answer:
    """A job list, whatever else an envelope should have."""
    return Answer(json.dumps({"resourceSets": [{"estimatedTotal": len(jobs), "resources": jobs}]}).encode())


def run(*arguments: str) -> int:
    """Runs the command; returns its exit status."""
    return main(["conformance", *arguments])


def record(server: LiveServer, *, query_key: str | None = QUERY) -> Recording:
    """All exchanges with a live server."""
    return collect(Target(parse_base_url(server.url), MASTER, query_key))


@contextmanager
def behind_tls(certificate: Certificate, port: int, names: list[str | None]) -> Iterator[int]:
    """A port that speaks TLS and forwards to another one; it appends the SNI names of clients to `names`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    context.sni_callback = lambda _socket, name, _context: names.append(name)

    def serve(connected: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(connected, server_side=True) as secure:
            with socket.create_connection(("127.0.0.1", port)) as plain:
                plain.sendall(secure.recv(65536))
                while data := plain.recv(65536):
                    secure.sendall(data)
            close(secure)

    with listening(serve) as opened:
        yield opened
