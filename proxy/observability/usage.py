"""Counts the requests of each key, in memory.

What is counted has a bound: so many keys in so many hours. Over it requests are answered all the same, and not counted.
"""

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import NamedTuple

from adapters.model.ticks import PER_SECOND, UNIX_EPOCH, Ticks
from adapters.model.usage import (
    ANSWERED,
    ERROR,
    MAX_AGENTS,
    MAX_NETWORKS,
    MAX_SOURCES,
    NOT_SERVED,
    REFUSED,
    Usage,
    hour_of,
)
from proxy.observability.client import Client
from proxy.wire.errors import ErrorCode

MAX_KEYS = 10_000
"""Keys that are counted at once, of all accounts and hours together; a key takes a kilobyte."""

MAX_OLD_HOURS = 6
"""Hours before this one that wait for an account's storage."""

_HOUR = 3_600

# Statuses by which a key may not do what it asks, or not so often.
_REFUSALS = frozenset((HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS))


class Requester(NamedTuple):
    """The key of a request: its account, the first 16 hex digits of its digest, and its name."""

    account: str
    digest: str
    name: str | None


class Tally:
    """What a key asked for in an hour, and how much of it is stored."""

    __slots__ = ("last", "requests", "stored", "usage")

    def __init__(self, usage: Usage) -> None:
        self.usage = usage
        self.last = 0.0
        """When the last request came, in seconds since 1970; `usage` gets it when it is written."""
        self.requests = 0
        self.stored = 0

    def note(self, client: Client) -> None:
        """Notes a client's agent and network, while there are not too many."""
        usage = self.usage
        if client.agent and len(usage.agents) < MAX_AGENTS:
            usage.agents[client.agent] = None
        if client.network and len(usage.networks) < MAX_NETWORKS:
            usage.networks[client.network] = None


Tallies = dict[tuple[str, str], Tally]
"""By account and digest."""


def outcome_of(status: int, error: str | None) -> int:
    """The outcome of a request: its place in the counts of an operation.

    Args:
        status: the response's HTTP status.
        error: the name of its ErrorCode; queries may send an error with another status.
    """
    if error == ErrorCode.NOT_SERVED.name:
        return NOT_SERVED
    status = status if error is None else ErrorCode[error].value.status
    if status in _REFUSALS:
        return REFUSED
    return ERROR if status >= HTTPStatus.BAD_REQUEST else ANSWERED


class UsageCounter:
    """The tallies of this process. A row is written over the one before, so an hour stays until all of it is stored.

    Args:
        full: whether user agents and networks are noted too.
        clock: seconds since 1970.
    """

    def __init__(self, *, full: bool = False, clock: Callable[[], float] = time.time) -> None:
        self.full = full
        self.clock = clock
        self.hour_end = 0.0
        """When the next hour begins, by the clock."""
        self.keys = 0
        """How many keys are counted now, one in two hours as two."""
        self.uncounted = 0
        """Requests over the bound, since the start."""
        self._hours: dict[str, Tallies] = {}
        self._current: Tallies = {}

    def count(
        self,
        requester: Requester,
        operation: str,
        outcome: int = ANSWERED,
        source: str | None = None,
        client: Client | None = None,
    ) -> Tally | None:
        """Counts a request; `source` is the data source that it named. Returns where, None for nowhere."""
        account, digest, name = requester
        now = self.clock()
        if now >= self.hour_end:
            self._begin_hour(now)
        tally = self._current.get((account, digest))
        if tally is None:
            if self.keys >= MAX_KEYS:
                self.uncounted += 1
                return None
            moment = _ticks(now)
            tally = self._current[account, digest] = Tally(Usage(digest, name, moment, moment))
            self.keys += 1
        tally.requests += 1
        tally.last = now
        usage = tally.usage
        usage.name = name
        counts = usage.operations.get(operation)
        if counts is None:
            counts = usage.operations[operation] = [0, 0, 0, 0]
        counts[0] += 1
        if outcome:
            counts[outcome] += 1
        # Names match in any letter case: the first spelling is the one that is shown.
        is_new = source and source not in usage.sources and len(usage.sources) < MAX_SOURCES
        if source and is_new and all(source.lower() != known.lower() for known in usage.sources):
            usage.sources[source] = None
        if self.full and client is not None:
            tally.note(client)
        return tally

    def unstored(self) -> dict[str, dict[str, list[Tally]]]:
        """What is not stored yet, by account and hour. Forgets hours of the past that are stored, or are too many."""
        if (now := self.clock()) >= self.hour_end:
            self._begin_hour(now)
        found: dict[str, dict[str, list[Tally]]] = {}
        for hour, tallies in self._hours.items():
            for key, tally in list(tallies.items()):
                if tally.stored < tally.requests:
                    tally.usage.last = _ticks(tally.last)
                    found.setdefault(key[0], {}).setdefault(hour, []).append(tally)
                elif tallies is not self._current:
                    del tallies[key]
                    self.keys -= 1
        return found

    def forget(self, account: str) -> None:
        """Forgets an account that is not there any more."""
        for tallies in self._hours.values():
            for key in [key for key in tallies if key[0] == account]:
                del tallies[key]
                self.keys -= 1

    def _begin_hour(self, now: float) -> None:
        self._current = self._hours.setdefault(hour_of(_ticks(now)), {})
        self.hour_end = now - now % _HOUR + _HOUR
        while len(self._hours) > MAX_OLD_HOURS + 1:
            self.keys -= len(self._hours.pop(min(self._hours)))


class RepeatCounter:
    """Counts the requests that get one cached response. It finds its tally once an hour, and not for each."""

    __slots__ = ("_counter", "_counts", "_operation", "_requester", "_tally", "_until")

    def __init__(self, counter: UsageCounter, requester: Requester, operation: str) -> None:
        self._counter = counter
        self._requester = requester
        self._operation = operation
        self._until = 0.0

    def count(self, client: Client) -> None:
        """Counts a request."""
        counter = self._counter
        now = counter.clock()
        if now >= self._until:
            tally = counter.count(self._requester, self._operation, client=client)
            if tally is not None:
                self._tally, self._counts = tally, tally.usage.operations[self._operation]
                self._until = counter.hour_end
            return
        tally = self._tally
        tally.requests += 1
        tally.last = now
        self._counts[0] += 1
        if counter.full:
            tally.note(client)


def _ticks(seconds: float) -> Ticks:
    return Ticks(UNIX_EPOCH + int(seconds * PER_SECOND))
