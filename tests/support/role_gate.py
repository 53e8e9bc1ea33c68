"""A hop over TLS before an emulator's tables that refuses what an identity without a role may not do.

The emulator takes any token and knows no roles, so the refusal is made here, as Azure answers it.
"""

import http.client
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.entra import Certificate

_CODE = "AuthorizationPermissionMismatch"
_REFUSAL = (
    b'{"odata.error":{"code":"AuthorizationPermissionMismatch","message":{"lang":"en-US",'
    b'"value":"This request is not authorized to perform this operation using this permission."}}}'
)
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@dataclass
class RoleGate:
    """What the identity may not do, and what came."""

    port: int = 0
    refused: frozenset[str] = frozenset(("GET", "POST", "PUT", "PATCH", "MERGE", "DELETE"))
    """Methods that are refused."""
    times: int = 0
    """How many requests are refused; 0: all."""
    asked: list[str] = field(default_factory=list)

    def refuses(self, method: str) -> bool:
        """Whether this request is refused."""
        if method not in self.refused:
            return False
        if self.times:
            self.times -= 1
            if not self.times:
                self.refused = frozenset()
        return True


@contextmanager
def role_gate(certificate: Certificate, table_port: int) -> Iterator[RoleGate]:
    """A gate before the table service at this port of 127.0.0.1, which speaks TLS too."""
    gate = RoleGate()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(gate, certificate, table_port))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    gate.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield gate
    server.shutdown()
    server.server_close()
    thread.join()


def _handler(gate: RoleGate, certificate: Certificate, table_port: int) -> type[BaseHTTPRequestHandler]:
    trust = ssl.create_default_context(cafile=str(certificate.certificate))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            """Refuses a request, or passes it to the emulator."""
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            gate.asked.append(f"{self.command} {self.path}")
            if gate.refuses(self.command):
                self._answer(403, {"x-ms-error-code": _CODE, "Content-Type": "application/json"}, _REFUSAL)
                return
            upstream = http.client.HTTPSConnection("127.0.0.1", table_port, context=trust, timeout=60)
            upstream.request(self.command, self.path, body, dict(self.headers))
            answer = upstream.getresponse()
            kept = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP}
            self._answer(answer.status, kept, answer.read())
            upstream.close()

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    for method in ("GET", "POST", "PUT", "PATCH", "MERGE", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.pass_on)
    return Handler
