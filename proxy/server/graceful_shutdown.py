"""Ends a process that is in use: it says that it is not ready, and goes on serving while callers leave."""

import asyncio
import signal
import socket
import time
from contextlib import suppress
from types import FrameType

import uvicorn

from proxy.api.health import Readiness

READINESS = "readiness"
"""The key of the application's `Readiness` in the state of its lifespan."""

# A process that served a request or a readiness probe in the last 60 seconds may be behind a load balancer. It keeps
# its port open until the load balancer has seen `/readyz` fail.
IN_USE_SECONDS = 60.0

# How long the port stays open. A load balancer should probe /readyz every second.
DRAIN_SECONDS = 2.0

# The client of the connection accepted last may still have to send its request. The server ends idle connections.
SETTLE_SECONDS = 0.2


class DrainingServer(uvicorn.Server):
    """A server that goes on accepting connections for a while after SIGTERM, each for one response."""

    _ends_at = float("inf")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Handles a signal. A second SIGTERM has no effect, and an interrupt ends the server at once."""
        readiness = self.lifespan.state.get(READINESS) if hasattr(self, "lifespan") else None
        if sig != signal.SIGTERM or not isinstance(readiness, Readiness):
            super().handle_exit(sig, frame)
            return
        if readiness.stopping:
            return
        readiness.stopping = True
        if time.monotonic() - readiness.last_request_at > IN_USE_SECONDS:
            super().handle_exit(sig, frame)
            return
        self._ends_at = time.monotonic() + DRAIN_SECONDS
        # Each response asks its caller to come back on another connection, which leads to another process.
        self.config.encoded_headers = [*self.config.encoded_headers, (b"connection", b"close")]
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]

    async def on_tick(self, counter: int) -> bool:
        """Returns, ten times a second, whether it is time to end."""
        if time.monotonic() > self._ends_at:
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Closes the port and answers the clients that connected before."""
        # Closing a port resets the connections that are not accepted yet, with the requests that they bring.
        waiting = [accepted for listener in sockets or [] for accepted in _accept_waiting(listener)]
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for accepted in waiting:
            await asyncio.get_running_loop().connect_accepted_socket(self._create_protocol, accepted)
        await asyncio.sleep(SETTLE_SECONDS)
        await super().shutdown(sockets)

    def _create_protocol(self) -> asyncio.Protocol:
        protocol: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg]  # its type has no arguments
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return protocol


def _accept_waiting(listener: socket.socket) -> list[socket.socket]:
    """Accepts the connections of a port that wait for it."""
    accepted = []
    listener.setblocking(False)  # noqa: FBT003 - the standard library's own signature
    with suppress(OSError):
        while True:
            accepted.append(listener.accept()[0])
    return accepted
