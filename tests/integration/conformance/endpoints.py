"""Endpoints of our own making: one that says what it is told to, and one behind TLS with a certificate authority."""

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.stub_servers import close, listening

HOST = "spatial.contoso.example"


@dataclass(frozen=True)
class Said:
    """An answer to every request whose path holds a text."""

    body: bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json; charset=utf-8"),)


Say = Callable[[str], Said]


@contextmanager
def answering(say: Say) -> Iterator[tuple[str, list[str]]]:
    """An endpoint that answers GET and HEAD by a function of the path; its URL, and all that it was sent."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.requestline}\n{self.headers}")
            said = say(self.path)
            self.send_response(said.status)
            for name, value in (*said.headers, ("Content-Length", str(len(said.body)))):
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(said.body)

        do_HEAD = do_GET  # noqa: N815 - as the standard library calls it

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join(5)


@dataclass(frozen=True)
class Authority:
    """A certificate authority's certificate, and a chain with its key for HOST."""

    certificate: Path
    chain: Path


def make_authority(folder: Path) -> Authority:
    """Makes an authority, and by it a certificate for HOST."""
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Contoso Test Authority")])
    leaf = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    signing = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    identifier = x509.SubjectKeyIdentifier.from_public_key(keys[0].public_key())
    root = (
        _begun(name, name, keys[0])
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(signing, critical=True)
        .add_extension(identifier, critical=False)
        .sign(keys[0], hashes.SHA256())
    )
    issued = (
        _begun(leaf, name, keys[1])
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .sign(keys[0], hashes.SHA256())
    )
    made = Authority(folder / "authority.pem", folder / "chain.pem")
    made.certificate.write_bytes(root.public_bytes(serialization.Encoding.PEM))
    private = keys[1].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    made.chain.write_bytes(private + issued.public_bytes(serialization.Encoding.PEM))
    return made


def _begun(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
    )


@contextmanager
def behind_tls(authority: Authority, port: int, names: list[str | None]) -> Iterator[int]:
    """A port that speaks TLS and hands on to another one; the names that clients ask for by SNI are written down."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.chain)
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
