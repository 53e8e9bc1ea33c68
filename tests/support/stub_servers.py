"""What may stand where storage should be: things that answer nonsense, late, or not at all.

None of them plays Azure. Where rows are wanted, the emulator serves, at most with a slow or a listening wire before it.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from adapters.credentials.connection_string import EMULATOR_ACCOUNT, EMULATOR_KEY
from tests.support.storage import Storage

Serve = Callable[[socket.socket], None]


@contextmanager
def listening(serve: Serve) -> Iterator[int]:
    """A port where each connection is served by a thread of its own; all are closed in the end."""
    opened: list[socket.socket] = []

    def run(connected: socket.socket) -> None:
        with suppress(OSError):
            serve(connected)
        close(connected)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connected, _ = listener.accept()
                opened.append(connected)
                threading.Thread(target=run, args=(connected,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            close(listener)
            accepting.join()  # first: a connection that it has just accepted is one of those to close
            for connected in opened:
                close(connected)


def close(connected: socket.socket) -> None:
    """Wakes whoever waits for a socket, and closes it."""
    with suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)
    connected.close()


@contextmanager
def closed_port() -> Iterator[int]:
    """A port where nobody listens, and nobody else will."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield int(bound.getsockname()[1])


def hang(connected: socket.socket) -> None:
    """Takes all and never answers."""
    while connected.recv(65536):
        pass


def hang_up(connected: socket.socket) -> None:
    """Closes once it was asked."""
    connected.recv(65536)


def drip(connected: socket.socket) -> None:
    """Answers a byte at a time, without an end."""
    connected.recv(65536)
    connected.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{")
    while True:
        time.sleep(0.05)
        connected.sendall(b" ")


def saying(status: str, body: bytes, *headers: str, cut: int = 0) -> Serve:
    """Answers every request so; `cut` bytes of the body are announced but never come."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) + cut}", "Connection: close", *headers, "", ""]

    def serve(connected: socket.socket) -> None:
        connected.recv(65536)
        connected.sendall("\r\n".join(lines).encode() + body)

    return serve


def connection_string(table_port: int, blob_url: str = "http://127.0.0.1:1/devstoreaccount1") -> str:
    """An account whose tables are said to be at this port."""
    return (
        f"AccountName={EMULATOR_ACCOUNT};AccountKey={EMULATOR_KEY};"
        f"TableEndpoint=http://127.0.0.1:{table_port}/{EMULATOR_ACCOUNT};BlobEndpoint={blob_url}"
    )


class Wire:
    """A wire to one of the emulator's services, on which requests can be delayed and read."""

    def __init__(self, storage: Storage, service: str) -> None:
        parts = dict(part.partition("=")[::2] for part in storage.connection_string.split(";"))
        self._port = urlsplit(parts[f"{service}Endpoint"]).port
        self._original, self._service = parts, service
        self.delay = 0.0
        self.asked = threading.Event()
        self.seen = b""

    @contextmanager
    def connection_string(self) -> Iterator[str]:
        """The account's connection string with this wire before the service."""
        with listening(self._serve) as port:
            parts = self._original | {f"{self._service}Endpoint": f"http://127.0.0.1:{port}/{EMULATOR_ACCOUNT}"}
            yield ";".join(f"{name}={value}" for name, value in parts.items() if name)

    def _serve(self, connected: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self._port)) as service:
            back = threading.Thread(target=self._return, args=(service, connected), daemon=True)
            back.start()
            while data := connected.recv(65536):
                self.seen += data
                self.asked.set()
                time.sleep(self.delay)
                service.sendall(data)
            close(service)
            back.join()

    @staticmethod
    def _return(service: socket.socket, connected: socket.socket) -> None:
        with suppress(OSError):
            while data := service.recv(65536):
                connected.sendall(data)
        close(connected)
