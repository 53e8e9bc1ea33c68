"""Bounds the body of a request: its size, and the time that its sender takes."""

import asyncio

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

FIRST_SECONDS = 30.0
"""For a form of any size, beside what its bytes may take."""

SLOWEST_BYTES_PER_SECOND = 16 * 1024
"""A sender that is slower on the whole is cut off."""


class BodyLimit:
    """Receives a body within its bounds. What comes after it, such as the client's leaving, may take any time.

    Args:
        receive: the server's own function.
        most: bytes that the body may have.
    """

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive, self._most = receive, most
        self._started = asyncio.get_running_loop().time()
        self._size = 0
        self._is_complete = False

    async def __call__(self) -> Message:
        """Receives the next piece.

        Raises:
            HTTPException: the body is too large, or too slow.
        """
        if self._is_complete:
            return await self._receive()
        end = self._started + FIRST_SECONDS + self._size / SLOWEST_BYTES_PER_SECOND
        try:
            async with asyncio.timeout_at(end):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, "The request came too slowly. Try again on a better line.") from None
        self._size += len(message.get("body", b""))
        self._is_complete = not message.get("more_body", False)
        if self._size > self._most:
            raise HTTPException(413, too_large(self._most))
        return message


def too_large(most: int) -> str:
    """The sentence for a body with more bytes than it may have."""
    return f"The request is too large: at most {most:,} bytes are allowed."
