"""Whether the process lives, and whether it should be sent requests."""

from http import HTTPStatus

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from proxy.api.readiness import Readiness
from proxy.version import VERSION

_FRESH = {"Cache-Control": "no-store"}


class Livez:
    """Answers without I/O, so that a container is never restarted for its storage's sake. Takes any method."""

    _content = {"status": "ok", "version": VERSION}  # noqa: RUF012 - it is never changed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        await JSONResponse(self._content, headers=_FRESH)(scope, receive, send)


class Readyz:
    """Says whether the process is ready, and nothing else: strangers may ask. Asks no storage."""

    def __init__(self, readiness: Readiness) -> None:
        self._readiness = readiness

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request. Who asks this may send others here before it asks again."""
        self._readiness.asked()
        ready = self._readiness.is_ready
        status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        response = JSONResponse({"status": "ready" if ready else "not ready"}, status, _FRESH)
        await response(scope, receive, send)
