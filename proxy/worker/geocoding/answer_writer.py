"""Writes answers to storage, those that come while it is busy together: small blobs are slow one by one."""

import asyncio

from proxy.worker.geocoding.checkpoints import Checkpoints


class AnswerWriter:
    """Writes the answers of one turn."""

    def __init__(self, checkpoints: Checkpoints) -> None:
        self._checkpoints = checkpoints
        self._waiting: dict[int, bytes] = {}
        self._turn = asyncio.Lock()

    async def write(self, number: int, answers: bytes) -> None:
        """Returns when the answers to a chunk are in storage.

        Raises:
            StorageError: storage could not answer.
        """
        self._waiting[number] = answers
        async with self._turn:
            if number not in self._waiting:
                return  # another chunk's call has written them
            written, self._waiting = self._waiting, {}
            try:
                await self._checkpoints.write_answers(written)
            except BaseException:
                # Whoever else waits for these tries again, and raises then.
                self._waiting = written | self._waiting
                self._waiting.pop(number)
                raise
