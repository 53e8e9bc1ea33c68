"""A small load balancer: by turns to whoever says that it is ready, and nothing is asked twice."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from benchmarks.soak.clients import Answer, Connection, LostError

LOOK_SECONDS = 0.25
FRESH_SECONDS = 1.5
"""The age up to which an answer of /readyz counts. A server drains for longer than that."""
READY = b"GET /readyz HTTP/1.1\r\nHost: proxy.example\r\n\r\n"
BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Balancer:
    """A port before several servers. Half of what it passes goes over connections that it keeps."""

    def __init__(self, backends: list[int]) -> None:
        self._backends = backends
        self._turns = itertools.count()
        self._kept: dict[int, list[Connection]] = {port: [] for port in backends}
        self._seen = {port: asyncio.Event() for port in backends}
        self._looked = dict.fromkeys(backends, 0.0)
        self.port = 0

    @classmethod
    @asynccontextmanager
    async def before(cls, backends: list[int]) -> AsyncIterator["Balancer"]:
        """A balancer before the servers at these ports."""
        balancer = cls(backends)
        looks = [asyncio.create_task(balancer._look(port)) for port in backends]
        server = await asyncio.start_server(balancer._serve, "127.0.0.1", 0, backlog=1024)
        balancer.port = server.sockets[0].getsockname()[1]
        try:
            yield balancer
        finally:
            server.close()
            for look in looks:
                look.cancel()
            for connection in itertools.chain.from_iterable(balancer._kept.values()):
                connection.close()

    async def until_ready(self, port: int) -> None:
        """Waits until a server is seen to be ready."""
        await self._seen[port].wait()

    async def _look(self, port: int) -> None:
        while True:
            began = time.monotonic()
            if await _is_ready(port):
                self._seen[port].set()
            else:
                self._seen[port].clear()
            self._looked[port] = began
            await asyncio.sleep(LOOK_SECONDS)

    def _ready(self) -> list[int]:
        oldest = time.monotonic() - FRESH_SECONDS
        return [port for port in self._backends if self._seen[port].is_set() and self._looked[port] > oldest]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                while True:
                    data = await reader.readuntil(b"\r\n\r\n")
                    writer.write(await self._pass(data))
        finally:
            writer.close()

    async def _pass(self, data: bytes) -> bytes:
        while not (ready := self._ready()):
            if not any(seen.is_set() for seen in self._seen.values()):
                return BAD_GATEWAY
            await asyncio.sleep(LOOK_SECONDS / 5)
        turn = next(self._turns)
        port, keeps = ready[turn % len(ready)], turn // len(ready) % 2 == 0
        kept = self._kept[port] = [connection for connection in self._kept[port] if connection.is_usable]
        try:
            connection = kept.pop() if keeps and kept else await Connection.open(port)
            answer = await connection.ask(data)
        except (OSError, LostError, TimeoutError):
            return BAD_GATEWAY
        if keeps and connection.is_usable:
            self._kept[port].append(connection)
        else:
            connection.close()
        return _passed_on(answer)


async def _is_ready(port: int) -> bool:
    try:
        connection = await Connection.open(port)
        try:
            return (await connection.ask(READY)).status == 200
        finally:
            connection.close()
    except (OSError, LostError, TimeoutError):
        return False


def _passed_on(answer: Answer) -> bytes:
    return b"HTTP/1.1 %d Passed On\r\nContent-Length: %d\r\n\r\n" % (answer.status, len(answer.body)) + answer.body
