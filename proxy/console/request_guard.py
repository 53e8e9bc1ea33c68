"""What every request to the console must pass, and the headers of every response (operations contract, section 5)."""

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from traceback import extract_tb
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from proxy.console.body_limit import BodyLimit, too_large
from proxy.console.context import Console
from proxy.console.session_cookie import LOOPBACK_NAMES, SESSION, CookieJar, has_name
from proxy.console.sessions import Session
from proxy.console.token_sign_in import TokenSignIn
from proxy.observability.client import network_of

log = logging.getLogger(__name__)

# Pages run no script and load nothing but the console's own files, and no page elsewhere shows one in a frame.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    # `no-referrer` would make browsers send `Origin: null` with forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

LIVEZ = "/livez"
STATIC = "/static/"
SIGN_IN = "/sign-in"
SIGN_OUT = "/sign-out"
LOAD = "/load/preview"

SAFE_METHODS = frozenset(("GET", "HEAD"))

NOT_OURS = "The request is not from a page of the console. Open the console and try again."

FORM_BYTES = 256 * 1024
MEGABYTE = 1024 * 1024

LONGEST_PATH = 200
"""Characters of a path in a log line."""

FRAMES = 4
"""Innermost places in the code that the log names of a failure."""


class RequestGuard:
    """Checks host, origin, session, read-only mode and size of each request; finds its session."""

    def __init__(self, app: ASGIApp, console: Console) -> None:
        self._app = app
        self._console = console
        self._names = LOOPBACK_NAMES | ({console.settings.console_name} if console.settings.console_name else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request that passes, and refuses others. Raises nothing."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        response = _GuardedSend(send, scope["path"])
        try:
            await self._serve(scope, receive, response)
        except ClientDisconnect:
            return
        except asyncio.CancelledError:  # the process ends, and this request would have taken longer
            if not response.has_started:
                await _plain(503, "The console ends. Try again in a moment.")(scope, receive, response)
        except Exception as error:  # noqa: BLE001 - a page may raise anything; its text could hold a secret
            log.error("a page failed: %s", describe_failure(error), extra=_fields(scope))  # noqa: TRY400 - the same
            if not response.has_started:
                await _plain(500, "The console failed; its log says where.")(scope, receive, response)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        is_probe = scope["path"] == LIVEZ and scope["method"] in SAFE_METHODS  # it names the container's address
        refusal = None if is_probe else self._refuse_origin(scope, headers) or self._refuse(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        session = None if is_probe else self._find_session(scope)
        is_public = scope["path"].startswith((STATIC, SIGN_IN + "/")) or scope["path"] == SIGN_IN
        if session is None and not (is_public or is_probe):
            await _lead_to_sign_in(scope, headers)(scope, receive, send)
            return
        scope["console.session"] = session or Session("", "", is_signed_in=False)
        await self._app(scope, BodyLimit(receive, self._most_bytes(scope["path"])), send)

    def _refuse_origin(self, scope: Scope, headers: Headers) -> Response | None:
        """The refusal of a request that another host's page may have sent."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not has_name(hosts[0].lower(), self._names):
            return _plain(
                421, "This host name is not the console's. Set PROXY_CONSOLE_NAME to the name that your browser shows."
            )
        is_safe = scope["method"] in SAFE_METHODS
        if not is_safe and not _is_same_origin(scope, hosts[0].lower(), headers.getlist("origin")):
            return _plain(403, NOT_OURS)
        # A page of another site could request expensive pages from here as images. Links from other sites are allowed.
        is_foreign = headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}
        if is_foreign and headers.get("sec-fetch-mode", "navigate") != "navigate":
            return _plain(403, NOT_OURS)
        return None

    def _refuse(self, scope: Scope, headers: Headers) -> Response | None:
        """The refusal of a change that must not be made, or is too large."""
        if scope["method"] in SAFE_METHODS:
            return None
        if scope["method"] != "POST":
            return _plain(405, "The method is not allowed. Allowed are GET, HEAD and POST.")
        if self._console.settings.console_read_only and scope["path"] not in {SIGN_IN, SIGN_OUT}:
            return _plain(403, "The console is read-only: PROXY_CONSOLE_READ_ONLY is true.")
        length, most = headers.get("content-length", "0"), self._most_bytes(scope["path"])
        if not length.isdecimal() or int(length) > most:
            return _plain(413, too_large(most))
        return None

    def _find_session(self, scope: Scope) -> Session | None:
        console = self._console
        if console.access is None:
            return console.sessions.local(console.operator)
        if isinstance(console.access, TokenSignIn) and console.access.take_change():
            console.sessions.end_all()
        return console.sessions.find(CookieJar(console.settings, scope).find(SESSION))

    def _most_bytes(self, path: str) -> int:
        return FORM_BYTES + (self._console.settings.max_upload_mb * MEGABYTE if path == LOAD else 0)


class _GuardedSend:
    """Sends responses with the headers that protect them, and knows whether one has begun."""

    def __init__(self, send: Send, path: str) -> None:
        self._send, self._is_static = send, path.startswith(STATIC)
        self.has_started = False

    async def __call__(self, message: Message) -> None:
        """Sends a message."""
        if message["type"] == "http.response.start":
            self.has_started = True
            headers = MutableHeaders(scope=message)
            headers.update(HEADERS)
            if not (self._is_static and "cache-control" in headers):  # the console's own files name theirs
                headers["Cache-Control"] = "no-store"
        await self._send(message)


def describe_failure(error: BaseException) -> str:
    """The type of an error and the innermost places in the code. Its text is left out: it may hold a secret."""
    places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in extract_tb(error.__traceback__)[-FRAMES:]]
    return f"{type(error).__name__} at {', '.join(places)}"


def _fields(scope: Scope) -> dict[str, object]:
    client = scope.get("client")
    network = network_of(client[0]) if client else None
    return {"method": scope["method"], "path": scope["path"][:LONGEST_PATH], "network": network}


def _is_same_origin(scope: Scope, host: str, origins: list[str]) -> bool:
    """Whether a POST comes from a page of the console. Behind TLS that ends elsewhere, the scheme may be unknown."""
    schemes = ("https",) if scope["scheme"] == "https" else ("http", "https")
    return len(origins) == 1 and origins[0].lower() in {f"{scheme}://{host}" for scheme in schemes}


def _lead_to_sign_in(scope: Scope, headers: Headers) -> Response:
    """Leads to the sign-in, and from there back to the requested page."""
    if "hx-request" in headers:  # htmx follows a redirect of its own request, so this one is for the page
        return Response(status_code=401, headers={"HX-Redirect": SIGN_IN})
    target = SIGN_IN
    if scope["method"] in SAFE_METHODS:
        query = f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
        target += f"?next={quote(scope['raw_path'].decode('latin-1') + query, safe='')}"
    return RedirectResponse(target, 303)


def _plain(status: int, text: str) -> Response:
    return PlainTextResponse(f"{text}\n", status)
