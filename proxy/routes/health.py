"""Whether the process lives."""

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send


class Livez:
    """Answers without I/O, so that a container is never restarted for its storage's sake. Takes any method."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        response = JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})
        await response(scope, receive, send)
