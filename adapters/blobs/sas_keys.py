"""The keys that sign links: the account's own, or one that storage delegates to an identity.

A delegated key signs any number of links, so that no link needs a request. It is renewed in the background well before
it expires, by one request at a time.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from azure.storage.blob import UserDelegationKey

from adapters.errors import StorageError
from adapters.request_coalescing import SingleFlight
from adapters.sdk_calls import storage_call

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]
FetchKey = Callable[[datetime, datetime], Awaitable[UserDelegationKey]]
"""Requests a key from storage that is valid from the first to the second instant."""

# A link or key that starts now is refused by a server whose clock is behind this machine's.
CLOCK_SKEW = timedelta(minutes=5)

# Storage delegates a key for seven days at most, by its own clock.
LONGEST_KEY = timedelta(days=7) - timedelta(hours=1)
USUAL_KEY = timedelta(days=1)

# The wait after a failed renewal; the current key still signs meanwhile.
RETRY_AFTER = timedelta(seconds=30)


def utc_now() -> datetime:
    """Returns the current UTC time; tests inject their own clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What signs a link: either an account key, or a delegated one, which ends at `expires`."""

    account_key: str | None = field(default=None, repr=False)
    delegated: UserDelegationKey | None = field(default=None, repr=False)
    expires: datetime | None = None


KeySource = Callable[[], Awaitable[SigningKey]]
"""Returns the key to sign with now; raises StorageError where storage provides none."""


def account_key_source(account_key: str) -> KeySource:
    """The account's own key, which never changes."""
    key = SigningKey(account_key)

    async def current() -> SigningKey:
        return key

    return current


class DelegationKeyProvider:
    """Provides keys that storage delegates to an identity."""

    def __init__(self, fetch: FetchKey, link_lifetime: timedelta, clock: Clock = utc_now, timeout: float = 5) -> None:
        """A key must live for `link_lifetime` to be used; `timeout` bounds a request for one, in seconds."""
        self._fetch = fetch
        self._timeout = timeout
        self._clock = clock
        self._lifetime = min(LONGEST_KEY, max(USUAL_KEY, 2 * link_lifetime))
        self._needed = min(link_lifetime, self._lifetime / 2)
        self._key: SigningKey | None = None
        self._in_flight = SingleFlight()
        self._not_before = datetime.min.replace(tzinfo=UTC)

    async def current(self) -> SigningKey:
        """The key to sign with now.

        A key that nears its end is renewed in the background. Only a caller that finds none, or one too short for its
        link, waits.

        Raises:
            StorageError: there is no key and storage provides none.
        """
        left = self._time_left()
        if self._key is not None and left >= self._needed:
            if left < (self._lifetime + self._needed) / 2 and self._clock() >= self._not_before:
                self._in_flight.start("key", self._renew)
            return self._key
        try:
            return (await self._in_flight.run("key", self._renew))[0]
        except StorageError:
            if self._key is not None and self._time_left() > CLOCK_SKEW:
                return self._key
            raise

    async def close(self) -> None:
        """Cancels a renewal in flight."""
        self._in_flight.close()

    def _time_left(self) -> timedelta:
        return timedelta() if self._key is None or self._key.expires is None else self._key.expires - self._clock()

    async def _renew(self) -> SigningKey:
        now = self._clock()
        expires = now + self._lifetime
        try:
            # Without a deadline, a hanging request would delay every caller: identity libraries wait for minutes.
            async with storage_call(self._timeout):
                delegated = await self._fetch(now - 2 * CLOCK_SKEW, expires)
        except StorageError as error:
            self._not_before = now + RETRY_AFTER
            log.warning("delegation key not renewed: %s", error)
            raise
        self._key = SigningKey(delegated=delegated, expires=expires)
        return self._key
