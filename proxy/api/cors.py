"""Cross-origin requests: which pages of other origins may read responses (wire-contract.md, section 1).

The key is in the URL and there are no cookies, so no page can use another's credentials. The default lets all read.
"""

import re
from http import HTTPStatus

from starlette.responses import Response
from starlette.types import Message, Scope, Send

ANY_ORIGIN = "*"

PREFLIGHT = "preflight"
"""The name of a browser's preflight request in logs and metrics."""

PREFLIGHT_SECONDS = 3600

_METHODS = "GET, HEAD, POST, PUT, DELETE"
_HEADER_NAMES = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z, -]{1,4096}")


def cors_headers(origins: tuple[str, ...]) -> list[tuple[str, str]]:
    """The headers of every response; none where no page may read responses."""
    if not origins:
        return []
    readers = ("Access-Control-Allow-Origin", ANY_ORIGIN) if origins == (ANY_ORIGIN,) else ("Vary", "Origin")
    return [readers, ("Access-Control-Expose-Headers", "Location")]


def preflight(scope: Scope) -> Response:
    """The response to OPTIONS: no body, and the same for all paths."""
    headers = {
        "Access-Control-Allow-Methods": _METHODS,
        "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
        "Cache-Control": "no-store",
    }
    requested = _header(scope, b"access-control-request-headers")
    if requested is not None and _HEADER_NAMES.fullmatch(requested):
        headers["Access-Control-Allow-Headers"] = requested.decode()
    return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)


def allow_listed_origin(origins: frozenset[bytes], scope: Scope, send: Send) -> Send:
    """Returns a `send` that lets the calling page read the response, where its origin is listed."""
    origin = _header(scope, b"origin")
    if origin not in origins:
        return send

    async def send_added(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], (b"access-control-allow-origin", origin)]}
        await send(message)

    return send_added


def _header(scope: Scope, wanted: bytes) -> bytes | None:
    return next((value for name, value in scope["headers"] if name == wanted), None)
