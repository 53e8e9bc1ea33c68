"""One client with one connection, that notes how long answers take."""

import http.client
import time
from types import TracebackType
from typing import Self

from benchmarks.servers import OK


class Client:
    """A client of a port of this machine."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def __enter__(self) -> Self:
        """Connects at the first request."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnects."""
        self._connection.close()

    def ask(self, target: str) -> tuple[int, str, bytes]:
        """Status, Content-Type and body of an answer."""
        self._connection.request("GET", target)
        answer = self._connection.getresponse()
        return answer.status, answer.headers.get("Content-Type", ""), answer.read()

    def get(self, target: str, status: int = OK) -> bytes:
        """The body of an answer.

        Raises:
            RuntimeError: it has another status.
        """
        found, _, body = self.ask(target)
        if found != status:
            raise RuntimeError(f"answered {found}: {body[:300].decode('utf-8', 'replace')}")
        return body

    def milliseconds(self, target: str, status: int = OK) -> float:
        """The time that an answer takes."""
        started = time.perf_counter()
        self.get(target, status)
        return 1000 * (time.perf_counter() - started)

    def wait(self, target: str) -> float:
        """Seconds until the answer is a 200: on a busy machine a fetch may outlast a request, and the next finds it."""
        started = time.perf_counter()
        while self.ask(target)[0] != OK:
            time.sleep(0.1)
        return time.perf_counter() - started
