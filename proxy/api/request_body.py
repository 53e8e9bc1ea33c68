"""The body of a request, piece by piece: a load of 300 MB passes through without being in memory as a whole."""

import asyncio
import time
from collections.abc import AsyncGenerator

from starlette.types import Receive, Scope

from proxy.wire.errors import ApiError, ErrorCode

# A sender that delivers fewer bytes in a window of waiting is too slow.
WINDOW_SECONDS = 30.0
WINDOW_BYTES = 32 * 1024


class RequestBody:
    """Reads a body once, from its beginning to its end. It receives nothing before the first read.

    Only the time spent waiting for the sender counts, not the time that the reader takes for each piece.
    """

    def __init__(self, scope: Scope, receive: Receive) -> None:
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"")
        self.length = int(length) if length.isdigit() else None
        """The announced length; None where there is none."""
        self.is_announced = b"transfer-encoding" in headers or bool(self.length)
        self._first: bytes | None = None
        self._rest = _receive_pieces(receive)

    async def is_empty(self) -> bool:
        """Whether there is not one byte of it. A piece that this reads is not lost.

        Raises:
            ApiError: the caller has gone, or sends too slowly.
        """
        if self.is_announced and self._first is None:
            self._first = await anext(self._rest, None)
        return self._first is None

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        """The pieces, as they come.

        Raises:
            ApiError: the caller has gone, or sends too slowly.
        """
        if await self.is_empty():
            return
        yield self._first or b""
        async for piece in self._rest:
            yield piece


async def _receive_pieces(receive: Receive) -> AsyncGenerator[bytes, None]:
    waited, arrived, more = 0.0, 0, True
    while more:
        started = time.monotonic()
        try:
            async with asyncio.timeout(max(0.0, WINDOW_SECONDS - waited)):
                message = await receive()
        except TimeoutError:
            if arrived < WINDOW_BYTES:
                raise ApiError(ErrorCode.BODY_TOO_SLOW) from None
            waited, arrived = 0.0, 0
            continue
        if message["type"] == "http.disconnect":
            raise ApiError(ErrorCode.BODY_INCOMPLETE)
        waited += time.monotonic() - started
        piece, more = message.get("body", b""), message.get("more_body", False)
        arrived += len(piece)
        if piece:
            yield piece
