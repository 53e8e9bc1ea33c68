"""Ctrl-C in a run that may end at any moment."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 130
"""The exit status: 128 and the signal's number, as shells have it."""


@contextmanager
def end_at_second_interrupt(text: str) -> Iterator[None]:
    """Ends the process at a second Ctrl-C, with a line on standard error. To be entered in a coroutine.

    The first one cancels the coroutine, as asyncio has it. asyncio raises the second one wherever the event loop is,
    and may then wait for ever for what it broke off.
    """
    first = signal.getsignal(signal.SIGINT)

    def end(_number: int, _frame: FrameType | None) -> None:
        print(text, file=sys.stderr, flush=True)
        os._exit(INTERRUPTED)

    def interrupt(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, end)
        if callable(first):
            first(number, frame)

    if not callable(first):  # such as in the background of a shell, which ignores it
        yield
        return
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, first)
