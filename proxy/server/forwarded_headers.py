"""Forwarded headers of trusted proxies: the client's address, and the scheme of its request."""

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

_SCHEME = b"x-forwarded-proto"


class ForwardedHeaders:
    """uvicorn's middleware, which also takes a list of schemes: several proxies in a row each append theirs."""

    def __init__(self, app: ASGIApp, trusted_proxies: tuple[str, ...]) -> None:
        self._middleware = ProxyHeadersMiddleware(app, list(trusted_proxies))  # type: ignore[arg-type]  # its own types

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, with the client's address and scheme where a trusted proxy sent it."""
        schemes = [value for name, value in scope["headers"] if name == _SCHEME]
        if schemes:
            others = [header for header in scope["headers"] if header[0] != _SCHEME]
            # The first scheme is that of the client.
            scope = {**scope, "headers": [*others, (_SCHEME, schemes[0].partition(b",")[0].strip())]}
        await self._middleware(scope, receive, send)  # type: ignore[arg-type]  # its own types
