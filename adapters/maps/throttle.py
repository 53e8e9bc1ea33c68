"""The rate of calls to one Azure Maps account from this process: a token bucket that adapts (geocode.md, section 7)."""

import asyncio
import time

from adapters.sdk_calls import JITTER

BURST = 2.0
"""Calls that may follow each other at once after a pause, so that a late timer loses no call."""
LONGEST_PAUSE = 60.0
LONGEST_RETRY_AFTER = 300.0
"""Seconds of a Retry-After that are believed; a longer one would stop a process for no known reason."""
_SLOWEST = 0.1
"""The lowest share of the set rate."""
_RECOVERY = 0.02
"""The share of the set rate that each answered call gives back."""


class Throttle:
    """Lets calls pass at a rate; all of them wait where Azure Maps throttles one.

    Args:
        calls_per_second: the rate as it is set.
    """

    def __init__(self, calls_per_second: float) -> None:
        self._set_rate = self._rate = calls_per_second
        self._tokens, self._filled_at = 1.0, time.monotonic()
        self._paused_until = 0.0
        self._throttled = 0
        """Answers 429 since the last good one."""
        self._turn = asyncio.Lock()

    @property
    def rate(self) -> float:
        """Calls per second at present."""
        return self._rate

    @property
    def seconds_paused(self) -> float:
        """How long no call may be made; 0 where one may."""
        return max(0.0, self._paused_until - time.monotonic())

    async def acquire(self) -> None:
        """Waits for a token, first come, first served."""
        async with self._turn:
            while (wait := self._seconds_left()) > 0:  # noqa: ASYNC110 - a pause may begin while it waits for a token
                await asyncio.sleep(wait)
            self._tokens -= 1

    def record_throttling(self, retry_after: float | None, begun: float) -> float:
        """Pauses all calls after an answer 429, and halves the rate.

        Args:
            retry_after: seconds that the answer names; None: up to 1, 2, 4 ... 60, at random.
            begun: `time.monotonic()` at the start of the call. Calls that were in flight at a pause tell nothing new.

        Returns:
            The seconds of the pause.
        """
        now = time.monotonic()
        if begun >= self._paused_until:
            self._throttled += 1
            self._rate = max(self._set_rate * _SLOWEST, self._rate / 2)
        pause = retry_after
        if pause is None:
            longest = min(LONGEST_PAUSE, 2.0 ** (self._throttled - 1))
            pause = JITTER.uniform(0, longest)
        self._paused_until = max(self._paused_until, now + min(pause, LONGEST_RETRY_AFTER))
        return self.seconds_paused

    def record_success(self, begun: float) -> None:
        """Brings the rate a step nearer to the set one. A call that begun before a pause tells nothing new."""
        if begun < self._paused_until:
            return
        self._throttled = 0
        self._rate = min(self._set_rate, self._rate + self._set_rate * _RECOVERY)

    def _seconds_left(self) -> float:
        now = time.monotonic()
        if now < self._paused_until:
            self._filled_at = self._paused_until
            return self._paused_until - now
        self._tokens = min(BURST, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now
        return max(0.0, 1 - self._tokens) / self._rate


class Throttles:
    """The throttles of a process, one for each Azure Maps account: accounts of the key ring may share one.

    Args:
        calls_per_second: the rate of each.
    """

    def __init__(self, calls_per_second: float) -> None:
        self._rate = calls_per_second
        self._known: dict[tuple[str, str], Throttle] = {}

    def of(self, endpoint: str, account: str) -> Throttle:
        """The throttle of an Azure Maps account."""
        return self._known.setdefault((endpoint, account), Throttle(self._rate))
