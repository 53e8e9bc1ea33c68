"""A hop on the way to a storage account's tables, whose fault can be changed while it is in use.

It plays no Azure: what it passes comes from the emulator, and a fault is done to that answer or to the connection.
"""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import unquote, urlsplit

from adapters.credentials.connection_string import EMULATOR_ACCOUNT
from tests.support.http_messages import Message, read_message, saying
from tests.support.live import WAIT_SECONDS
from tests.support.storage import Storage


class Mode(Enum):
    """What the hop does."""

    WELL = "passes"
    REFUSE = "refuses connections"
    HANG = "accepts and hangs"
    HANG_UP = "hangs up"
    RESET = "resets mid-answer"
    THROTTLE = "throttles"
    FORBID = "forbids"
    DELAY = "delays"
    HOLD = "holds answers back until the mode is another"
    GARBLE = "garbles"
    CUT = "cuts short, as long as it says"
    CUT_OFF = "cuts short of what it says"
    LOSE = "does as told and loses the answer"
    FAIL = "answers 500"


FAULTS = tuple(mode for mode in Mode if mode not in {Mode.WELL, Mode.HOLD, Mode.LOSE, Mode.FAIL})

# Longer than any deadline that is tested.
DELAY_SECONDS = 30.0

_NOT_ALLOWED = (
    b'{"odata.error":{"code":"AuthorizationFailure","message":{"lang":"en-US",'
    b'"value":"This request is not authorized to perform this operation."}}}'
)
_INSTEAD = {
    Mode.THROTTLE: saying(
        "503 Server Busy",
        b'{"odata.error":{"code":"ServerBusy","message":{"lang":"en-US","value":"The server is busy."}}}',
        "Retry-After: 30",
        "x-ms-error-code: ServerBusy",
    ),
    Mode.FAIL: saying("500 Internal Server Error", b"", "x-ms-error-code: InternalError"),
    Mode.FORBID: saying("403 Forbidden", _NOT_ALLOWED, "x-ms-error-code: AuthorizationFailure"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that came to the hop: its target with nothing encoded, and when, by the monotonic clock."""

    method: str
    target: str
    at: float


class Hop:
    """A TCP port before one service of an account's storage."""

    def __init__(self, storage: Storage, service: str = "Table") -> None:
        self._service = service
        self._parts = dict(part.partition("=")[::2] for part in storage.connection_string.split(";") if part)
        self._upstream = urlsplit(self._parts[f"{service}Endpoint"]).port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._mode = Mode.WELL
        self._released = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self.port = 0
        self.seconds = DELAY_SECONDS
        """How long DELAY delays."""
        self.methods = ""
        """Requests by other methods pass well; empty: none do."""
        self.passed = 0
        """How many requests by those methods pass well before the mode holds."""
        self.times = 0
        """How many requests the mode is for; 0: all."""
        self.then = Mode.WELL
        """What it does to all requests after those."""
        self.connections = 0
        self.asked: list[Asked] = []

    @classmethod
    @contextmanager
    def before(cls, storage: Storage, service: str = "Table") -> Iterator["Hop"]:
        """A hop before a service of this storage; all its connections end with it."""
        hop = cls(storage, service)
        hop._thread.start()
        hop._run(hop._listen())
        try:
            yield hop
        finally:
            hop._run(hop._end())
            hop._loop.call_soon_threadsafe(hop._loop.stop)
            hop._thread.join()
            hop._loop.close()

    @property
    def connection_string(self) -> str:
        """The account's connection string, with this hop as its service."""
        return self.through({})

    def through(self, others: Mapping[str, str]) -> str:
        """The same with other parts changed too."""
        url = f"http://127.0.0.1:{self.port}/{EMULATOR_ACCOUNT}"
        parts = self._parts | {f"{self._service}Endpoint": url} | dict(others)
        return ";".join(f"{name}={value}" for name, value in parts.items())

    @property
    def mode(self) -> Mode:
        """What it does; what is set holds for the next request, and a refusal ends the connections that there are."""
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        self._run(self._change(mode))

    def reads_of(self, text: str) -> int:
        """How many requests had this text in their target."""
        return sum(text in asked.target for asked in list(self.asked))

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(WAIT_SECONDS)

    async def _change(self, mode: Mode) -> None:
        self._mode = mode
        (self._released.clear if mode is Mode.HOLD else self._released.set)()
        if mode is Mode.REFUSE:
            await self._close()
        elif self._server is None:
            await self._listen()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            for listener in server.sockets:
                self._loop.remove_reader(listener.fileno())
            await asyncio.sleep(0)  # accepted connections join the server; once it is closed, that fails and leaks them
            server.close()
        serving = dict(self._open)
        for task, writer in serving.items():
            _reset(writer)
            task.cancel()
        if serving:
            await asyncio.wait(serving)

    async def _end(self) -> None:
        await self._close()
        while others := asyncio.all_tasks() - {asyncio.current_task()}:  # of connections that came with the end
            await asyncio.wait(others)
        await asyncio.sleep(0)  # transports that were ended close their sockets in the next round

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._server is None:  # the connection came with the end
            _reset(writer)
            return
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = writer
        self.connections += 1
        upstream: asyncio.StreamWriter | None = None
        try:
            back, upstream = await asyncio.open_connection("127.0.0.1", self._upstream)
            while True:
                request = await read_message(reader)
                method, target = request.first_line.split()[:2]
                self.asked.append(Asked(method, unquote(target), time.monotonic()))
                if not await self._answer(request, back, upstream, writer):
                    break
        except (OSError, asyncio.IncompleteReadError):
            pass  # either side has ended the connection
        except asyncio.CancelledError:  # the hop is closed, and waits for nobody to take what was not sent yet
            for each in filter(None, (upstream, writer)):
                each.transport.abort()
        finally:
            for each in filter(None, (upstream, writer)):
                each.close()
            del self._open[task]

    def _mode_for(self, method: str) -> Mode:
        if self._mode is Mode.WELL or (self.methods and method not in self.methods.split()):
            return Mode.WELL
        if self.passed:
            self.passed -= 1
            return Mode.WELL
        mode = self._mode
        if self.times:
            self.times -= 1
            if not self.times:
                self._mode, self.methods = self.then, ""
        return mode

    async def _hold_back(self, mode: Mode) -> None:
        if mode is Mode.DELAY:
            await asyncio.sleep(self.seconds)
        if mode is Mode.HOLD:
            await self._released.wait()

    async def _answer(
        self, request: Message, back: asyncio.StreamReader, upstream: asyncio.StreamWriter, writer: asyncio.StreamWriter
    ) -> bool:
        """Answers one request as the mode says; gives whether the connection goes on."""
        method = request.first_line.split()[0]
        mode = self._mode_for(method)
        if mode is Mode.HANG:
            await asyncio.Event().wait()
        if mode is Mode.HANG_UP:
            return False
        if mode in _INSTEAD:
            writer.write(_INSTEAD[mode])
            return True
        upstream.write(request.sent)
        answer = await read_message(back, has_body=method != "HEAD")
        await self._hold_back(mode)
        half = len(answer.body) // 2
        if mode is Mode.LOSE:
            return False
        if mode is Mode.RESET:
            writer.write(answer.sent[: len(answer.head) + half])
            await asyncio.sleep(0.01)  # what is sent has to be on its way before the reset drops it
            _reset(writer)
            return False
        if mode is Mode.CUT_OFF:
            writer.write(answer.with_body(answer.body[:half], len(answer.body) or 1))
            return False
        if mode is Mode.CUT:
            writer.write(answer.with_body(answer.body[:half], half))
        elif mode is Mode.GARBLE:
            writer.write(answer.with_body(bytes(byte ^ 0xA5 for byte in answer.body), len(answer.body)))
        else:
            writer.write(answer.sent)
        return True


def _reset(writer: asyncio.StreamWriter) -> None:
    """Ends a connection by a reset."""
    connected: socket.socket | None = writer.get_extra_info("socket")
    with suppress(OSError):
        if connected is not None:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
