"""What every request to the console must pass, and the headers of every response (operations contract, section 5)."""

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from proxy.console.context import Console
from proxy.console.sessions import Session
from proxy.console.sign_in import COOKIE, requires_sign_in

LOOPBACK_NAMES = frozenset(("127.0.0.1", "localhost", "[::1]"))

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
LOAD = "/load"

SAFE_METHODS = frozenset(("GET", "HEAD"))

FORM_BYTES = 256 * 1024
MEGABYTE = 1024 * 1024


class RequestGuard:
    """Checks host, origin, session, read-only mode and size of each request; finds its session."""

    def __init__(self, app: ASGIApp, console: Console) -> None:
        self._app = app
        self._console = console
        self._names = LOOPBACK_NAMES | ({console.settings.console_name} if console.settings.console_name else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request that passes, and refuses others."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send = _with_headers(send, scope["path"])
        headers = Headers(scope=scope)
        is_probe = scope["path"] == LIVEZ  # it names the container's address as the host
        refusal = None if is_probe else self._refuse_origin(scope, headers) or self._refuse(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        session = self._find_session(headers)
        is_public = scope["path"].startswith((STATIC, SIGN_IN))
        if session is None and not (is_public or is_probe):
            await _lead_to_sign_in(scope, headers)(scope, receive, send)
            return
        scope["console.session"] = session or Session("", "", is_signed_in=False)
        await self._app(scope, _limit(receive, self._most_bytes(scope["path"])), send)

    def _refuse_origin(self, scope: Scope, headers: Headers) -> Response | None:
        """The refusal of a request that another host's page may have sent."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_ours(hosts[0].lower()):
            return _plain(
                421, "This host name is not the console's. Set PROXY_CONSOLE_NAME to the name that your browser shows."
            )
        is_safe = scope["method"] in SAFE_METHODS
        if not is_safe and not _is_same_origin(scope, hosts[0].lower(), headers.getlist("origin")):
            return _plain(403, "The request is not from a page of the console. Open the console and try again.")
        return None

    def _refuse(self, scope: Scope, headers: Headers) -> Response | None:
        """The refusal of a change that must not be made, or is too large."""
        if scope["method"] in SAFE_METHODS:
            return None
        if scope["method"] != "POST":
            return _plain(405, "The method is not allowed. Allowed are GET, HEAD and POST.")
        is_session_change = scope["path"].startswith((SIGN_IN, SIGN_OUT))
        if self._console.settings.console_read_only and not is_session_change:
            return _plain(403, "The console is read-only: PROXY_CONSOLE_READ_ONLY is true.")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._most_bytes(scope["path"]):
            most = self._most_bytes(scope["path"])
            return _plain(413, f"The request is too large: it has {length[:20]} bytes, allowed are {most}.")
        return None

    def _is_ours(self, host: str) -> bool:
        name, _, port = host.rpartition(":")
        return host in self._names or (port.isdecimal() and name in self._names)

    def _find_session(self, headers: Headers) -> Session | None:
        console = self._console
        if not requires_sign_in(console.settings):
            return console.sessions.local(console.operator)
        try:
            cookies = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            return None
        return console.sessions.find(cookies[COOKIE].value) if COOKIE in cookies else None

    def _most_bytes(self, path: str) -> int:
        return FORM_BYTES + (self._console.settings.max_upload_mb * MEGABYTE if path.startswith(LOAD) else 0)


def _is_same_origin(scope: Scope, host: str, origins: list[str]) -> bool:
    """Whether a POST comes from a page of the console. Behind TLS that ends elsewhere, the scheme may be unknown."""
    if len(origins) != 1:
        return False
    try:
        origin = urlsplit(origins[0].lower())
    except ValueError:
        return False
    schemes = {"https"} if scope["scheme"] == "https" else {"http", "https"}
    return origin.scheme in schemes and origin.netloc == host


def _lead_to_sign_in(scope: Scope, headers: Headers) -> Response:
    """Leads to the sign-in, and from there back to a page that was asked for."""
    target = SIGN_IN
    if scope["method"] in SAFE_METHODS and "hx-request" not in headers:
        query = f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
        target += f"?next={quote(scope['path'] + query, safe='')}"
    if "hx-request" in headers:  # htmx follows a redirect of its own request, so this one is for the page
        return Response(status_code=401, headers={"HX-Redirect": target})
    return RedirectResponse(target, 303)


def _with_headers(send: Send, path: str) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            if not path.startswith(STATIC):
                headers["Cache-Control"] = "no-store"
        await send(message)

    return send_with_headers


def _limit(receive: Receive, most: int) -> Receive:
    """Ends a body without a length where it grows too large, as if the client had gone."""
    size = 0

    async def receive_limited() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        return message if size <= most else {"type": "http.disconnect"}

    return receive_limited


def _plain(status: int, text: str) -> Response:
    return Response(f"{text}\n", status, media_type="text/plain; charset=utf-8")
