"""Looks for changes of the key store, which are also the probes of its circuit breaker (keys contract, section 3)."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import SystemRandom

from adapters.errors import StorageError
from adapters.model.key_records import ADDED_MANY, PREFIX_DIGITS, ChangeLog
from adapters.request_coalescing import SingleFlight
from adapters.tables.properties import MalformedRowError
from proxy.keyring.key_cache import NEVER, StoreView

log = logging.getLogger(__name__)

# A look is missing, and the process was suspended, after this many intervals.
MAX_INTERVALS = 2

# Seconds between two log lines about a store that can't be read.
LOG_SECONDS = 60.0

# Seconds between the last look and one that a failed read of a key asks for.
SUSPICION_SECONDS = 1.0

_PREFIX = re.compile(f"[0-9a-f]{{{PREFIX_DIGITS}}}")

_JITTER = SystemRandom()


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed between two looks.

    Args:
        named: beginnings of digests, as bytes.
        added_many: keys were added that are not named.
        everything: any key may have changed.
    """

    named: frozenset[bytes] = frozenset()
    added_many: bool = False
    everything: bool = False


@dataclass(frozen=True, slots=True)
class StoreTiming:
    """Seconds.

    Args:
        interval: how often a look for changes begins.
        stale_seconds: how long known keys stay good while the store can't be read.
        timeout: the longest that a look-up takes.
    """

    interval: float
    stale_seconds: float
    timeout: float


EVERYTHING = Changes(everything=True)


def compare(before: ChangeLog | None, after: ChangeLog) -> Changes:
    """What changed between two states of the change row."""
    if before is None or before.epoch != after.epoch or after.sequence < before.sequence:
        return EVERYTHING
    if after.sequence == before.sequence and after.etag != before.etag:
        return EVERYTHING  # written again without a change of its own: restored, and changed as often since as before
    news = [(number, prefix) for number, prefix in after.recent if number > before.sequence]
    if len({number for number, _ in news}) != after.sequence - before.sequence:
        return EVERYTHING  # the list does not reach back far enough
    known = after.recent[len(news) :]
    if known != before.recent[: len(known)]:
        return EVERYTHING  # restored, and changed more often since than before
    named = [prefix for _, prefix in news if prefix != ADDED_MANY]
    if not all(map(_PREFIX.fullmatch, named)):
        return EVERYTHING  # a newer version may have written it
    return Changes(frozenset(map(bytes.fromhex, named)), len(named) < len(news))


class ChangeWatch:
    """Reads the change row, and says how far this process's knowledge reaches."""

    def __init__(
        self,
        read_changes: Callable[[], Awaitable[ChangeLog | None]],
        apply: Callable[[Changes], None],
        timing: StoreTiming,
        view: StoreView,
        count: Callable[[str], None],
    ) -> None:
        """Starts without a look.

        Args:
            read_changes: reads the change row; None: the table has none. It ends by its own deadline.
            apply: applies what changed.
            timing: how often to look, and how long to do without.
            view: the first view.
            count: is called with `looked` or `failed` for each look.
        """
        self._read_changes = read_changes
        self._apply = apply
        self._timing = timing
        self._count = count
        self._clock = view.clock
        self._looks = SingleFlight()
        self._changes: ChangeLog | None = None
        self._failures = 0
        self._started = self._logged = NEVER
        self._was_logged = False
        self.view = view
        self.last_good = NEVER
        """When the last good look began."""

    @property
    def is_failing(self) -> bool:
        """Whether the store can't be read: the last look failed."""
        return self._failures > 0

    @property
    def is_overdue(self) -> bool:
        """Whether requests wait for a look: there was none yet, or the process was suspended."""
        return not self._failures and self._clock() >= self.view.until

    @property
    def is_expired(self) -> bool:
        """Whether known keys are no longer good."""
        return self._clock() >= self.view.until

    async def run(self) -> None:
        """Looks for changes until cancelled. A look that fails is repeated sooner, at random times."""
        while True:
            started = self._clock()
            await self.look()
            seconds = self._timing.interval - (self._clock() - started)
            if self._failures:
                seconds = min(self._timing.interval, 2.0 ** min(self._failures - 1, 6)) * _JITTER.uniform(0.5, 1)
            await asyncio.sleep(max(0.0, seconds))

    async def look(self) -> None:
        """Looks once; joins the look in flight."""
        await self._looks.run("look", self._look)

    def suspect(self) -> None:
        """Begins a look soon after a read has failed, so that others need not find out by waiting."""
        if not self._failures and self._clock() - self._started >= SUSPICION_SECONDS:
            self._looks.start("look", self._look)

    def close(self) -> None:
        """Ends the look in flight."""
        self._looks.close()

    async def _look(self) -> None:
        self._started = started = self._clock()
        try:
            changes = await self._read_changes()
        except StorageError as error:
            self._fail(str(error), error.code.value.hint)
        except MalformedRowError as error:
            self._fail(str(error), "restore the change row of the keys table, or delete it and add a key")
        else:
            if changes is None and self._changes is not None:
                self._fail("its change row is gone", "restore the keys table, or add a key")
            else:
                self._succeed(changes, started)

    def _succeed(self, after: ChangeLog | None, started: float) -> None:
        before, self._changes = self._changes, after
        changes = Changes() if after is None else compare(before, after)
        if changes.everything:
            self.view.until = NEVER
            self.view = StoreView(self.view.clock, self.view.wall)
        if self._was_logged:
            log.info("key store: it can be read again")
        self._failures, self._was_logged, self.last_good = 0, False, started
        self.view.until = started + MAX_INTERVALS * self._timing.interval
        self._apply(changes)
        self._count("looked")

    def _fail(self, problem: str, hint: str) -> None:
        self._failures += 1
        self.view.until = self.last_good + self._timing.stale_seconds
        self._count("failed")
        now = self._clock()
        if now - self._logged >= LOG_SECONDS:
            self._logged, self._was_logged = now, True
            log.warning("key store: it can't be read: %s; %s", problem, hint)
