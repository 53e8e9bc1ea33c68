"""Judges work by the processor's time that it takes, which a busy or a stopped machine changes little."""

import gc
import time
from collections.abc import Callable

ATTEMPTS = 40


def measure(work: Callable[[], object]) -> float:
    """Seconds of the processor. What earlier tests left for the garbage collector does not count."""
    gc.disable()
    try:
        started = time.process_time()
        work()
        return time.process_time() - started
    finally:
        gc.enable()


def ends_within(seconds: float, work: Callable[[], object]) -> bool:
    """Whether work takes at most so many seconds, once in some attempts: other work on the core may double them."""
    return any(measure(work) <= seconds for _ in range(10))


def takes_at_most(
    work: Callable[[], object], most: float, yardstick: Callable[[], object], *, attempts: int = ATTEMPTS
) -> bool:
    """Whether work takes at most so many times the yardstick.

    Both are done in turn until it holds; of each, the quickest counts.
    """
    of_work = of_yardstick = float("inf")
    for _ in range(attempts):
        of_yardstick = min(of_yardstick, *(measure(yardstick) for _ in range(3)))
        of_work = min(of_work, measure(work))
        if of_work <= most * of_yardstick:
            return True
    return False
