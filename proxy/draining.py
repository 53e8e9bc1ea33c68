"""The end of a process that is in use: it says that it is not ready, and goes on serving while callers leave."""

import signal
import time
from types import FrameType

import uvicorn
from uvicorn.supervisors.multiprocess import Process

from proxy.readiness import Readiness

READINESS = "readiness"
"""Where the application's lifespan leaves what says whether the process is ready."""

# Who was asked this lately is in use: a load balancer must see that it is not ready before its port closes.
IN_USE_SECONDS = 10.0

# How long that goes on. A load balancer should look at /readyz every second.
DRAIN_SECONDS = 2.0


class DrainingServer(uvicorn.Server):
    """uvicorn's server, which on SIGTERM goes on accepting for a while, each connection for one answer."""

    _ends_at = float("inf")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal. A second one, or an interrupt from the keyboard, ends the server at once."""
        readiness = getattr(self.lifespan, "state", {}).get(READINESS)
        if sig != signal.SIGTERM or not isinstance(readiness, Readiness) or readiness.stopping:
            super().handle_exit(sig, frame)
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


class DrainingProcess(Process):
    """A worker process with such a server."""

    @property
    def server(self) -> uvicorn.Server:
        """The server of this process."""
        if self._server is None:
            self._server = DrainingServer(self.config)
        return self._server
