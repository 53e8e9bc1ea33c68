"""Cross-origin requests: which pages of other origins may read answers (wire contract, section 1).

No cookies are used, the key is in the URL. So an answer to one page is as good for any other, and the default lets all
pages read.
"""

import re
from http import HTTPStatus

from starlette.responses import Response
from starlette.types import Message, Scope, Send

from proxy.server.response_transport import WHOLE, Headers, SendWhole

ANY = "*"

PREFLIGHT = "preflight"
"""What the log calls the request that a browser sends before another."""

PREFLIGHT_SECONDS = 3600

_METHODS = "GET, HEAD, POST, PUT, DELETE"
_HEADER_NAMES = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z, -]{1,4096}")


def headers_of_all(origins: tuple[str, ...]) -> list[tuple[str, str]]:
    """The headers of every answer, for any origin; none where no page may read answers."""
    if not origins:
        return []
    readers = ("Access-Control-Allow-Origin", ANY) if origins == (ANY,) else ("Vary", "Origin")
    return [readers, ("Access-Control-Expose-Headers", "Location")]


def preflight(scope: Scope) -> Response:
    """The answer to OPTIONS. It has no body, and tells nothing but what is the same for all paths."""
    headers = {
        "Access-Control-Allow-Methods": _METHODS,
        "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
        "Cache-Control": "no-store",
    }
    asked = _header(scope, b"access-control-request-headers")
    if asked is not None and _HEADER_NAMES.fullmatch(asked):
        headers["Access-Control-Allow-Headers"] = asked.decode()
    return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)


def allow_listed(origins: frozenset[bytes], scope: Scope, send: Send) -> Send:
    """Lets the page that asks read the answer, where its origin is listed.

    Returns:
        What sends the answer. The short way to send it, in the scope, is changed alike.
    """
    origin = _header(scope, b"origin")
    if origin not in origins:
        return send
    added: Headers = [(b"access-control-allow-origin", origin)]
    extensions = scope.get("extensions", {})
    whole: SendWhole | None = extensions.get(WHOLE)
    if whole is not None:
        extensions[WHOLE] = lambda status, headers, body: whole(status, headers + added, body)

    async def send_added(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *added]}
        await send(message)

    return send_added


def _header(scope: Scope, wanted: bytes) -> bytes | None:
    return next((value for name, value in scope["headers"] if name == wanted), None)
