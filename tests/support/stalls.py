"""Judges times on a machine that stalls: a stall makes one try late, a fault makes each of them late."""

from collections.abc import Callable

TRIES = 6


def assert_within(seconds: float, attempt: Callable[[], float]) -> None:
    """Asserts that one of some tries takes less than so many seconds.

    Args:
        seconds: what is promised.
        attempt: makes a try; returns the seconds of the part that counts, infinite where it failed.
    """
    took: list[float] = []
    while not took or took[-1] >= seconds:
        assert len(took) < TRIES, f"{seconds:g} s are promised; the tries took {took}"
        took.append(attempt())
