"""Clients cheap enough to keep a server busy from the same machine."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

from tests.support.live import MASTER

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_CLOSE = re.compile(rb"connection: close", re.IGNORECASE)


def request(path: str, key: str = MASTER, form: str = "json") -> bytes:
    """The bytes of a request for a path below /REST/v1/."""
    return f"GET /REST/v1/{quote(path)}?o={form}&key={key} HTTP/1.1\r\nHost: proxy.example\r\n\r\n".encode()


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, and whether the connection ends with it."""

    status: int
    body: bytes
    closes: bool


class Answers(asyncio.Protocol):
    """A connection that tells of each answer as it comes, and of its end."""

    transport: asyncio.Transport

    def __init__(self, told: Callable[[Answer], None], ended: Callable[[], None]) -> None:
        self._told, self._ended = told, ended
        self._buffer = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # a TCP connection's
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        start = 0
        while (end := self._buffer.find(b"\r\n\r\n", start)) >= 0:
            head = self._buffer[start:end]
            length = _LENGTH.search(head)
            after = end + 4 + (int(length[1]) if length else 0)
            if after > len(self._buffer):
                break
            body, start = self._buffer[end + 4 : after], after
            self._told(Answer(int(head[9:12]), body, bool(_CLOSE.search(head))))
        self._buffer = self._buffer[start:]

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - how it ended is all the same
        self._ended()


class LostError(Exception):
    """A request was sent, and its connection ended without an answer."""


class Connection:
    """A keep-alive connection with one request at a time."""

    def __init__(self) -> None:
        self._waiting: asyncio.Future[Answer] | None = None
        self._protocol: Answers | None = None
        self._closes = False

    @classmethod
    async def open(cls, port: int) -> "Connection":
        """Connects.

        Raises:
            OSError: nobody listens there.
        """
        connection = cls()
        loop = asyncio.get_running_loop()
        _, connection._protocol = await loop.create_connection(
            lambda: Answers(connection._answered, connection._ended), "127.0.0.1", port
        )
        return connection

    @property
    def is_usable(self) -> bool:
        """Whether another request may be sent on it."""
        return self._protocol is not None and not self._closes and not self._protocol.transport.is_closing()

    async def ask(self, data: bytes, seconds: float = 30) -> Answer:
        """The answer to a request.

        Raises:
            LostError: there is none.
            TimeoutError: there was none in that time.
        """
        assert self._protocol is not None
        self._waiting = asyncio.get_running_loop().create_future()
        self._protocol.transport.write(data)
        async with asyncio.timeout(seconds):
            return await self._waiting

    def close(self) -> None:
        """Ends it."""
        if self._protocol is not None:
            self._protocol.transport.close()

    def _answered(self, answer: Answer) -> None:
        self._closes = answer.closes
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(answer)

    def _ended(self) -> None:
        self._closes = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(LostError())


@dataclass
class Tally:
    """What became of requests."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    refused: int = 0
    """Connections that nobody took: nothing was sent."""
    lost: int = 0
    """Requests that were sent, and never answered."""

    def others_than(self, status: int) -> int:
        """How many were answered otherwise, or not at all."""
        return self.statuses.total() - self.statuses[status] + self.lost

    def add(self, other: "Tally") -> None:
        """Adds another."""
        self.statuses += other.statuses
        self.seconds += other.seconds
        self.refused += other.refused
        self.lost += other.lost


async def poll(
    port: int, data: bytes, goes_on: Callable[[], bool], *, gap: float = 0.0, keep_alive: bool = True
) -> Tally:
    """One client that asks the same again and again, with a pause of `gap` seconds, as long as it goes on."""
    tally = Tally()
    connection: Connection | None = None
    while goes_on():
        started = time.perf_counter()
        try:
            if connection is None or not connection.is_usable:
                connection = await Connection.open(port)
        except OSError:
            tally.refused += 1
            await asyncio.sleep(0.01)
            continue
        try:
            answer = await connection.ask(data)
            tally.statuses[answer.status] += 1
            tally.seconds.append(time.perf_counter() - started)
        except (LostError, TimeoutError):
            tally.lost += 1
        if not keep_alive or not connection.is_usable:
            connection.close()
            connection = None
        await asyncio.sleep(gap)
        await asyncio.sleep(0)  # after a stall: lets the connection learn that the server has ended it
    if connection is not None:
        connection.close()
    return tally


async def pipeline(port: int, requests: Iterator[bytes], *, depth: int = 8) -> Counter[int]:
    """One client that has so many requests under way at once, until there are no more; gives their statuses.

    Raises:
        LostError: the connection ended before all were answered.
    """
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    statuses: Counter[int] = Counter()
    under_way = 0

    def more(count: int) -> None:
        nonlocal under_way
        batch = [data for _, data in zip(range(count), requests, strict=False)]
        under_way += len(batch)
        if batch:
            protocol.transport.write(b"".join(batch))
        elif not under_way and not done.done():
            done.set_result(None)

    def told(answer: Answer) -> None:
        nonlocal under_way
        statuses[answer.status] += 1
        under_way -= 1
        if under_way <= depth // 2:
            more(depth - under_way)

    def ended() -> None:
        if not done.done():
            done.set_exception(LostError())

    _, protocol = await asyncio.get_running_loop().create_connection(lambda: Answers(told, ended), "127.0.0.1", port)
    more(depth)
    await done
    protocol.transport.close()
    return statuses
