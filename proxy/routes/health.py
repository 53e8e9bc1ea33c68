"""Whether the process lives, and whether it should be sent requests."""

from http import HTTPStatus

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from proxy.readiness import Readiness

_FRESH = {"Cache-Control": "no-store"}


class Livez:
    """Answers without I/O, so that a container is never restarted for its storage's sake. Takes any method."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        await JSONResponse({"status": "ok"}, headers=_FRESH)(scope, receive, send)


class Readyz:
    """Names each account and what is wrong with it. Ready is who can serve at least one of them, and is not ending."""

    def __init__(self, readiness: Readiness) -> None:
        self._readiness = readiness

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request. Who asks this may send others here before it asks again."""
        self._readiness.asked()
        if self._readiness.stopping:
            response = JSONResponse({"status": "stopping"}, HTTPStatus.SERVICE_UNAVAILABLE, _FRESH)
        else:
            accounts = await self._readiness.accounts()
            ready = not accounts or "ok" in accounts.values()
            status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
            content = {"status": "ready" if ready else "not ready", "accounts": accounts}
            response = JSONResponse(content, status, _FRESH)
        await response(scope, receive, send)
