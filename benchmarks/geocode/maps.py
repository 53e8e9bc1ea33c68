"""Runs the stand-in with prepared answers in a process of its own."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.servers import get, running, wait_until_answered
from tests.support.processes import environment, free_port


@contextmanager
def prepared_maps(seconds: float) -> Iterator[int]:
    """Yields the stand-in's port. Each answer takes so many seconds."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.geocode.stand_in", str(port), str(seconds)]
    with running(command, environment()):
        wait_until_answered(port, "/")
        yield port


def read_items(port: int) -> int:
    """The items that the stand-in was asked so far."""
    return int(json.loads(get(port, "/")[1])["items"])
