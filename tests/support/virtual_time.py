"""An event loop whose clock jumps to its next timer as soon as nothing else is left to do.

A test on it waits for no second, no stall of the machine makes its timers expire early, and each sleep ends after all
that could run before it. It is for coroutines alone: what a thread or a socket does takes real time.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Moves its clock in place of a wait."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        """Seconds since the loop began, of which none passes by itself."""
        return self._now

    def jump(self, seconds: float) -> None:
        """Lets time pass."""
        self._now += seconds


class _JumpingSelector(selectors.SelectSelector):
    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Returns at once; without a timer and an event, the test would wait forever.

        Raises:
            RuntimeError: it would.
        """
        found = super().select(0)
        if timeout is None and not found:
            raise RuntimeError("all tasks wait, and no timer is set")
        self._loop.jump(0 if found else timeout or 0)
        return found


VirtualTime = tuple[str, dict[str, type[VirtualTimeLoop]]]

VIRTUAL_TIME: VirtualTime = ("asyncio", {"loop_factory": VirtualTimeLoop})
"""The value of the fixture `anyio_backend` in a file whose tests run on this loop."""


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine on this loop, as `asyncio.run` does on another."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(work)
