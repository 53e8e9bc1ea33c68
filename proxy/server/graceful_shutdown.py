"""The end of a process that is in use: it says that it is not ready, and goes on serving while callers leave."""

import asyncio
import logging
import os
import signal
import socket
import time
from contextlib import suppress
from types import FrameType

import uvicorn
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from proxy.api.readiness import Readiness

log = logging.getLogger(__name__)

READINESS = "readiness"
"""Where the application's lifespan leaves what says whether the process is ready."""

# Who was asked this lately, if only whether it is ready, is in use: a load balancer must see that it is not ready any
# more before its port closes.
IN_USE_SECONDS = 60.0

# How long that goes on. A load balancer should look at /readyz every second.
DRAIN_SECONDS = 2.0

# A connection that was taken last may still have to send its request; the server ends those that have none under way.
SETTLE_SECONDS = 0.2

# How long a process may load before it answers its supervisor, where the processor is slow or shared. Afterwards it is
# asked twice a second, and replaced where it is stuck.
LOADING_SECONDS = 60.0


class DrainingServer(uvicorn.Server):
    """uvicorn's server, which on SIGTERM goes on accepting for a while, each connection for one answer."""

    _ends_at = float("inf")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal. An interrupt from the keyboard ends the server at once.

        Being told twice changes nothing: a worker is told by its supervisor, and by who tells a whole process group.
        """
        if self.config.workers > 1 and not hasattr(self, "servers"):
            # It only loads. While it has the port open, that takes connections, and once the others are gone nobody
            # would answer them.
            os._exit(0)
        readiness = self.lifespan.state.get(READINESS) if hasattr(self, "lifespan") else None
        if sig != signal.SIGTERM or not isinstance(readiness, Readiness):
            super().handle_exit(sig, frame)
            return
        if readiness.stopping:
            return
        readiness.stopping = True
        if time.monotonic() - readiness.asked_at > IN_USE_SECONDS:
            super().handle_exit(sig, frame)
            return
        self._ends_at = time.monotonic() + DRAIN_SECONDS
        # Each answer asks its caller to come back on another connection, which leads to another process.
        self.config.encoded_headers = [*self.config.encoded_headers, (b"connection", b"close")]
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether it is time to end."""
        if time.monotonic() > self._ends_at:
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends: the port is closed, and who has connected before that is answered."""
        # A port closed with connections that nobody has taken resets them, with the requests that they brought.
        waiting = [taken for listener in sockets or [] for taken in _waiting(listener)]
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for taken in waiting:
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, taken)
        await asyncio.sleep(SETTLE_SECONDS)
        await super().shutdown(sockets)

    def _protocol(self) -> asyncio.Protocol:
        """As uvicorn makes one for each connection that it takes."""
        made: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg]  # its type has no arguments
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return made


def _waiting(listener: socket.socket) -> list[socket.socket]:
    """The connections of a port that nobody has taken yet."""
    taken = []
    listener.setblocking(False)  # noqa: FBT003 - the standard library's own signature
    with suppress(OSError):
        while True:
            taken.append(listener.accept()[0])
    return taken


class DrainingProcess(Process):
    """A worker process with such a server."""

    _begun = float("inf")
    _asked = False
    _has_loaded = False

    def start(self) -> None:
        """Begins it."""
        self._begun = time.monotonic()
        super().start()

    def is_alive(self, timeout: float = 5) -> bool:
        """Whether it should be left alone: it answers, or has not had its time to load. Only the first is waited for.

        It answers as soon as Python runs in it, but on a slow processor that alone may take longer than `timeout`: who
        is replaced then is replaced again and again.
        """
        if self._has_loaded or time.monotonic() - self._begun > LOADING_SECONDS or not self.process.is_alive():
            return super().is_alive(timeout)
        with suppress(OSError, EOFError):  # it has ended just now: the next look sees it
            if not self._asked:
                self._asked = True
                self.parent_conn.send(b"ping")
            if self.parent_conn.poll(0):
                self.parent_conn.recv()
                self._has_loaded = True
        return True

    def kill(self) -> None:
        """Ends what is stuck. It is also told of those that have ended by themselves."""
        log.warning("process %s has ended or is stuck", self.pid)
        super().kill()

    @property
    def server(self) -> uvicorn.Server:
        """The server of this process."""
        if self._server is None:
            self._server = DrainingServer(self.config)
        return self._server


class DrainingProcesses(Multiprocess):
    """The supervisor of such processes."""

    def terminate_all(self) -> None:
        """Tells the workers to end, and leaves the port to them.

        While anybody holds it open, it takes connections: once the workers are gone, nobody would answer them.
        """
        super().terminate_all()
        for listener in self.sockets:
            listener.close()
