"""A tenant of Microsoft Entra ID for tests, on loopback over TLS: the authorization code flow with real RSA keys."""

import base64
import hashlib
import hmac
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_urlsafe
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from tests.support.entra import TENANT, Certificate

CLIENT = "44444444-4444-4444-4444-444444444444"
PERSON = "55555555-5555-5555-5555-555555555555"
GROUP = "66666666-6666-6666-6666-666666666666"
KEY_ID = "key-1"

ENTRA = {"console_auth": "entra", "console_tenant_id": TENANT, "console_client_id": CLIENT}
"""Settings of a console that signs in by this tenant; the principals are to be added."""

Sign = Callable[[dict[str, Any]], str]


def _make_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


_KEY, _OTHER_KEY = _make_key(), _make_key()


def sign(claims: dict[str, Any]) -> str:
    """A token as the tenant signs it."""
    return jwt.encode(claims, _KEY, "RS256", headers={"kid": KEY_ID})


def sign_by_other_key(claims: dict[str, Any]) -> str:
    """A token that names the tenant's key, and another one has signed it."""
    return jwt.encode(claims, _OTHER_KEY, "RS256", headers={"kid": KEY_ID})


def sign_by_unknown_key(claims: dict[str, Any]) -> str:
    """A token that names a key which the tenant has not."""
    return jwt.encode(claims, _OTHER_KEY, "RS256", headers={"kid": "key-2"})


def sign_not(claims: dict[str, Any]) -> str:
    """A token without a signature."""
    return jwt.encode(claims, "", "none", headers={"kid": KEY_ID})


def sign_by_public_key(claims: dict[str, Any]) -> str:
    """A token that takes the tenant's public key for a shared secret: the confusion of algorithms."""
    public = _KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    parts = [_part({"alg": "HS256", "typ": "JWT", "kid": KEY_ID}), _part(claims)]
    mac = hmac.digest(public, ".".join(parts).encode(), "sha256")
    return ".".join([*parts, base64.urlsafe_b64encode(mac).rstrip(b"=").decode()])


def _part(value: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _set_event() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


@dataclass
class Tenant:
    """The running tenant: what it puts into tokens, how it signs them, and what it was asked."""

    port: int
    claims: dict[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    sign: Sign = sign
    error: dict[str, str] | None = None
    """What it answers instead of a token."""
    refuses_person: dict[str, str] | None = None
    """What it brings back to the application instead of a code."""
    fails: str = ""
    """The part of its paths that answers 500."""
    goes_on: threading.Event = field(default_factory=_set_event)
    """Each answer waits for it."""
    redirects: str = ""
    """The part of its paths that leads to the same path of another server."""
    other: str = ""
    """The URL of that server."""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @property
    def authority(self) -> str:
        """Its URL, without the tenant."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Its URL."""
        return f"{self.authority}/{TENANT}"

    def authorize(self, query: dict[str, str]) -> str:
        """Where the person's browser goes after the sign-in."""
        assert (query["client_id"], query["response_type"]) == (CLIENT, "code")
        assert query["code_challenge_method"] == "S256"
        code = token_urlsafe(16)
        self.codes[code] = query
        answer = self.refuses_person or {"code": code}
        return f"{query['redirect_uri']}?{urlencode(answer | {'state': query['state']})}"

    def redeem(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Exchanges a code, once, for tokens."""
        if self.error is not None:
            return 400, dict(self.error)
        asked = self.codes.pop(form["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        if asked is None or asked["code_challenge"] != challenge.decode():
            return 400, {"error": "invalid_grant", "error_description": "AADSTS54005: the code was redeemed already."}
        if not form.get("client_assertion") or "client_secret" in form or asked["redirect_uri"] != form["redirect_uri"]:
            return 401, {"error": "invalid_client", "error_description": "AADSTS700213: no matching identity."}
        now = int(time.time())
        claims: dict[str, Any] = {
            "aud": CLIENT,
            "iss": f"{self.url}/v2.0",
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "nonce": asked["nonce"],
            "oid": PERSON,
            "tid": TENANT,
            "preferred_username": "olga@example.com",
        } | self.claims
        token = self.sign({name: value for name, value in claims.items() if name not in self.without})
        return 200, {"token_type": "Bearer", "expires_in": 3600, "access_token": "opaque", "id_token": token}


@contextmanager
def start_tenant(certificate: Certificate) -> Iterator[Tenant]:
    """Starts the tenant."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    tenant = Tenant(server.server_port)
    server.RequestHandlerClass = _handler(tenant)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield tenant
    server.shutdown()
    server.server_close()


def _handler(tenant: Tenant) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            if url.path == f"/{TENANT}/oauth2/v2.0/authorize":
                query = {name: values[0] for name, values in parse_qs(url.query).items()}
                tenant.asked.append((url.path, query))
                self.send_response(302)
                self.send_header("Location", tenant.authorize(query))
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            tenant.asked.append((url.path, {}))
            found: dict[str, Any] = {
                f"/{TENANT}/v2.0/.well-known/openid-configuration": {
                    "issuer": f"{tenant.url}/v2.0",
                    "authorization_endpoint": f"{tenant.url}/oauth2/v2.0/authorize",
                    "token_endpoint": f"{tenant.url}/oauth2/v2.0/token",
                },
                f"/{TENANT}/discovery/v2.0/keys": {
                    "keys": [RSAAlgorithm.to_jwk(_KEY.public_key(), as_dict=True) | {"kid": KEY_ID, "use": "sig"}]
                },
            }
            self._answer(200 if url.path in found else 404, found.get(url.path, {}))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            tenant.asked.append((self.path, form))
            self._answer(*tenant.redeem(form))

        def _answer(self, status: int, answer: Mapping[str, Any]) -> None:
            tenant.goes_on.wait(60)
            fails = bool(tenant.fails) and tenant.fails in self.path
            redirects = bool(tenant.redirects) and tenant.redirects in self.path
            body = json.dumps(answer).encode()
            self.send_response(500 if fails else 307 if redirects else status)
            if redirects:
                self.send_header("Location", tenant.other + self.path)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    return Handler
