"""Microsoft Entra for tests, on loopback: tokens for the emulator, from a managed identity's endpoint and a tenant's.

The emulator takes any unsigned token with the right claims, so what is tested is our use of identities, for real:
azure-identity asks these endpoints by its own protocols, and the emulator checks what it got.
"""

import base64
import datetime as dt
import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

TENANT = "22222222-2222-2222-2222-222222222222"
OBJECT = "11111111-1111-1111-1111-111111111111"
HEADER = "identity-header-secret"
GARBLED_TOKEN = "eyJMARKED-TOKEN.abc.def"  # noqa: S105 - opens nothing


@dataclass(frozen=True)
class Certificate:
    """A self-made certificate for this machine, and its key."""

    certificate: Path
    key: Path


@dataclass
class Entra:
    """The running endpoints, what they were asked, and whether they refuse."""

    managed_identity_url: str
    authority: str
    asked: list[str] = field(default_factory=list)
    refuses: bool = False
    garbles: bool = False


def make_certificate(folder: Path, host: str = "localhost") -> Certificate:
    """Makes a certificate for a host and 127.0.0.1 that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName(host), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    found = Certificate(folder / "certificate.pem", folder / "key.pem")
    found.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    found.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return found


def token() -> str:
    """An unsigned token with the claims that the emulator looks at."""
    now = int(time.time())
    claims = {
        "iat": now - 10,
        "nbf": now - 10,
        "exp": now + 3600,
        "oid": OBJECT,
        "tid": TENANT,
        "iss": f"https://sts.windows.net/{TENANT}/",
        "aud": "https://storage.azure.com",
    }
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + "."


@contextmanager
def start_entra(certificate: Certificate) -> Iterator[Entra]:
    """Starts an App Service identity endpoint (http) and a tenant's token endpoint (https)."""
    entra = Entra("", "")
    plain, secure = (ThreadingHTTPServer(("127.0.0.1", 0), _handler(entra)) for _ in range(2))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    secure.socket = context.wrap_socket(secure.socket, server_side=True)
    entra.managed_identity_url = f"http://127.0.0.1:{plain.server_port}/identity"
    entra.authority = f"https://127.0.0.1:{secure.server_port}"
    for server in (plain, secure):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield entra
    for server in (plain, secure):
        server.shutdown()
        server.server_close()


def _handler(entra: Entra) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sound = not entra.refuses and self.headers.get("X-IDENTITY-HEADER") == HEADER
            self._answer(
                {"expires_on": str(int(time.time()) + 3600), "resource": "https://storage.azure.com"}, sound=sound
            )

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            sound = not entra.refuses and b"client_secret=" in body and f"/{TENANT}/" in self.path
            self._answer({"expires_in": 3600, "ext_expires_in": 3600}, sound=sound)

        def _answer(self, more: dict[str, object], *, sound: bool) -> None:
            entra.asked.append(self.path)
            refusal = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}
            answer = {"access_token": token(), "token_type": "Bearer"} | more if sound else refusal
            body = json.dumps(answer).encode()
            if entra.garbles:  # a token that a library may tell of when it can't read what is around it
                body = b'{"access_token": "' + GARBLED_TOKEN.encode() + b'", "expires_in": '
            self.send_response(200 if sound else 401)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    return Handler
