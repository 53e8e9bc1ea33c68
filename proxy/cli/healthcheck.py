"""Checks that what runs on this machine lives: `python -m proxy.cli.healthcheck [serve] [worker] [console]`.

The image's health check and the worker's probe. It runs every few seconds, so it imports only what loads fast. Without
a name it checks what it finds, and fails where it finds nothing.
"""

import os
import socket
import sys
from collections.abc import Sequence

from proxy.worker.heartbeat import ABANDONED_SECONDS, heartbeat_ages

WELL = "lives"
NOTHING = "is not there"

# Seconds; less than the timeout of the image's health check.
ANSWER_SECONDS = 2.0

# Seconds without a heartbeat, written each second, after which a worker counts as stuck. A machine may be busy.
SILENT_SECONDS = 15.0

# The address to connect to where a process listens on all addresses.
NEAR = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what may be set, not where we listen

LIVEZ = b"GET /livez HTTP/1.1\r\nHost: health\r\nConnection: close\r\n\r\n"


def server() -> str:
    """Returns the state of the server."""
    return _ask(os.environ.get("PROXY_HOST", ""), os.environ.get("PROXY_PORT") or "8080")


def console() -> str:
    """Returns the state of the console."""
    return _ask(os.environ.get("PROXY_CONSOLE_HOST") or "127.0.0.1", os.environ.get("PROXY_CONSOLE_PORT") or "8090")


def _ask(host: str, port: str) -> str:
    """Asks a process for a sign of life. A stuck one still accepts connections, but does not answer."""
    try:
        with socket.create_connection((NEAR.get(host, host), int(port)), ANSWER_SECONDS) as connection:
            connection.sendall(LIVEZ)
            status = connection.recv(64).partition(b"\r\n")[0].decode("latin-1")
    except ConnectionRefusedError:
        return NOTHING
    except OSError as error:
        return f"does not answer: {error}"
    return WELL if status.startswith("HTTP/1.1 200") else f"answers {status!r}"


def workers() -> str:
    """Returns the state of the worker. One whose event loop is stuck writes no heartbeats.

    The newest heartbeat counts: an older directory is that of a worker that was killed and has a successor.
    """
    age = min(heartbeat_ages().values(), default=ABANDONED_SECONDS)
    if age >= ABANDONED_SECONDS:
        return NOTHING
    return WELL if age < SILENT_SECONDS else f"wrote no heartbeat for {age:.0f} seconds"


LOOKS = {"serve": server, "worker": workers, "console": console}


def main(names: Sequence[str]) -> int:
    """Checks the named processes, or those that it finds. Returns 0 where all live, else 1; 2 for an unknown name."""
    if unknown := set(names) - set(LOOKS):
        print(f"what is {', '.join(sorted(unknown))}? Known are {', '.join(LOOKS)}", file=sys.stderr)
        return 2
    found = {name: look() for name, look in LOOKS.items() if not names or name in names}
    there = {name: sign for name, sign in found.items() if names or sign != NOTHING} or found
    print("; ".join(f"{name} {sign}" for name, sign in there.items()))
    return 0 if set(there.values()) == {WELL} else 1


if __name__ == "__main__":  # pragma: no cover - tests run it as a command
    sys.exit(main(sys.argv[1:]))
