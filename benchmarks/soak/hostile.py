"""Requests that are none, and requests that should not be: the same ones on each run."""

import asyncio
import random
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from socket import SO_LINGER, SOL_SOCKET

from benchmarks.soak.clients import Connection, request
from benchmarks.soak.figures import Figure, at_least, at_most, none_of
from benchmarks.soak.server import LoggedServer, logged
from tests.support.live import MASTER
from tests.support.processes import settings_of
from tests.support.storage import Storage

ROW = "hostile requests"
SEED = 20261125
AT_ONCE = 64
SECONDS = 20.0

# What the first tenth has not yet made the allocator keep; it stays the same however long this goes on. A leak of 150
# bytes a request would be more.
GROWTH_MB = 10.0

_GUESSING = b'"authenticationResultCode":"None"'
_PATHS = [
    "Dataflows/ListJobs",
    "Dataflows/LoadDataSource/{}",
    "Dataflows/DataSourceDownload/{}",
    "Dataflows/Geocode/{}/output/succeeded",
    "data/jobs/{}/$getstatus",
    "dataflows/LISTJOBS/{}/output/failed",
    "../{}/../..",
    "{}",
]
_ODD = ["%", "%zz", "%00", "%c3%28", "..", "%2e%2e%2f", "'", "'or'1'eq'1", "\x7f", "*", "%0d%0aX:y", "a" * 9000, "é"]
_METHODS = [b"GET", b"GET", b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"TRACE", b"CONNECT", b"FOO"]
_HEADERS = [
    b"Host: a?b#c",
    b"Host:",
    b"Connection: Upgrade\r\nUpgrade: h2c",
    b"Connection: keep-alive, close",
    b"Range: bytes=0-1",
    b"X-Forwarded-For: 1.2.3.4, ::1, " + b"9" * 400,
    b"Cookie: " + b"c" * 3000,
    b"Expect: 100-continue",
    b"\x00: \x00",
    b"X\xff: \xff",
    b": no name",
    b" folded",
    b"Accept-Encoding: gzip, br, *;q=0",
]


class Hostility:
    """What one client sends, drawn from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - the same on each run is the point

    def connection(self) -> tuple[bytes, int, bool]:
        """The bytes of a connection, how many requests they are meant to be, and whether it ends by a reset."""
        count = self._random.choice([1, 1, 1, 2, 5])
        data = b"".join(self._random.choice(self._kinds)(self) for _ in range(count))
        return data, count, self._random.random() < 0.1

    def _noise(self) -> bytes:
        return self._random.randbytes(self._random.randint(1, 300))

    def _odd(self) -> bytes:
        chosen = self._random
        key = chosen.choices([MASTER, "wrong", "", "%00", f"new-{chosen.random()}"], [80, 10, 5, 4, 1])[0]
        path = chosen.choice(_PATHS).format(chosen.choice([*_ODD, f"{chosen.getrandbits(128):032x}"]))
        form = chosen.choice(["json", "xml", "XML", "%78ml", "html", "%ff", ""])
        target = f"/REST/v1/{path}?o={form}&key={key}".encode()
        lines = [chosen.choice(_METHODS) + b" " + target + b" HTTP/1." + chosen.choice([b"1", b"1", b"1", b"0", b"9"])]
        lines += chosen.sample([b"Host: a", *_HEADERS], chosen.randint(0, 4))
        return b"\r\n".join([*lines, b"", b""])

    def _mutated(self) -> bytes:
        data = bytearray(request("Dataflows/ListJobs"))
        for _ in range(self._random.randint(1, 8)):
            data[self._random.randrange(len(data))] = self._random.randrange(256)
        return bytes(data)

    def _cut(self) -> bytes:
        data = self._odd()
        return data[: self._random.randrange(len(data))]

    def _huge(self) -> bytes:
        size = self._random.choice([60_000, 70_000, 200_000])
        return self._random.choice([b"GET /" + b"x" * size, request("Dataflows/ListJobs")[:-2] + b"X: " + b"y" * size])

    def _body(self) -> bytes:
        framing, body = self._random.choice(
            [
                (b"Content-Length: 5", b"hello"),
                (b"Content-Length: 5", b"hello, and more"),
                (b"Content-Length: 500", b"less"),
                (b"Content-Length: -1", b""),
                (b"Content-Length: 5\r\nContent-Length: 6", b"hello"),
                (b"Content-Length: 99999999999999999999", b"x"),
                (b"Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n"),
                (b"Transfer-Encoding: chunked", b"FFFFFFFFFFFFFFFFF\r\n"),
                (b"Transfer-Encoding: chunked", b"zz\r\nhello"),
                (b"Transfer-Encoding: chunked\r\nContent-Length: 3", b"0\r\n\r\n"),
                (b"Transfer-Encoding: gzip", b"x"),
            ]
        )
        return request("Dataflows/ListJobs")[:-2] + framing + b"\r\n\r\n" + body

    _kinds: tuple[Callable[["Hostility"], bytes], ...] = (_noise, _odd, _odd, _odd, _odd, _mutated, _cut, _body)
    _kinds = (*_kinds * 4, _huge)


def hostile(storage: Storage, *, requests: int = 100_000) -> Iterator[Figure]:
    """So many of them, over several connections at once."""
    storage.job(status="Pending")
    with logged(**settings_of(storage)) as server:
        statuses, first = asyncio.run(_attack(server, requests))
        memory = server.memory_kb
        yield at_least(ROW, "requests sent", statuses.pop("sent"), requests)
        yield at_least(ROW, "answers", statuses.total(), requests // 4)
        yield none_of(ROW, "5xx that are not meant", statuses["5xx"])
        yield none_of(ROW, "connections that the server did not end in time", statuses["held"])
        yield none_of(ROW, "the server has gone, or does not answer any more", statuses["gone"])
        yield at_most(ROW, "growth of memory after the first tenth", (memory - first) / 1024, GROWTH_MB, "MB")
        yield at_most(ROW, "memory at the end", memory / 1024, 150, "MB")
        yield none_of(ROW, "lines of the log that tell of a mishap", server.mishaps())


async def _attack(server: LoggedServer, requests: int) -> tuple[Counter[str], int]:
    hostility, statuses, memory = Hostility(SEED), Counter[str](), 0

    async def client() -> None:
        nonlocal memory
        while statuses["sent"] < requests:
            data, count, resets = hostility.connection()
            statuses["sent"] += count
            if not memory and statuses["sent"] > requests // 10:
                memory = server.memory_kb
            await _send(server.port, data, statuses, resets=resets)

    await asyncio.gather(*(client() for _ in range(AT_ONCE)))
    connection = await Connection.open(server.port)
    statuses["gone"] += (await connection.ask(request("Dataflows/ListJobs"))).status != 200
    connection.close()
    return statuses, memory


async def _send(port: int, data: bytes, statuses: Counter[str], *, resets: bool) -> None:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        statuses["gone"] += 1
        return
    received = b""
    try:
        async with asyncio.timeout(SECONDS):
            writer.write(data)
            if resets:
                writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
                await asyncio.sleep(0.001)
                return
            writer.write_eof()
            while part := await reader.read(65536):
                received += part
    except TimeoutError:
        statuses["held"] += 1
    except OSError:
        pass  # the server may end a connection before it has read all
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()
    for answer in received.split(b"HTTP/1.1 ")[1:]:
        status = answer[:3].decode()
        statuses[status] += 1
        if status >= "500" and not (status == "503" and _GUESSING in answer):
            statuses["5xx"] += 1
