"""The keys that sign links: the account's own, or one that storage delegates to an identity.

A delegated key is asked for once and signs any number of links, so that no link costs a request. It is renewed in the
background well before it ends, by one request at a time however many callers wait for it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from azure.storage.blob import UserDelegationKey

from adapters.errors import StorageError, StorageErrorCode, error_from_exception
from adapters.instrumentation import UNNEEDED

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]
FetchKey = Callable[[datetime, datetime], Awaitable[UserDelegationKey]]
"""Asks storage for a key that is valid from the first to the second instant."""

# A link or key that starts now is refused by a server whose clock is behind ours.
CLOCK_SKEW = timedelta(minutes=5)

# Storage gives a key for seven days at the most, by its own clock.
LONGEST_KEY = timedelta(days=7) - timedelta(hours=1)
USUAL_KEY = timedelta(days=1)

# After a renewal that failed; the key at hand still signs meanwhile.
RETRY_AFTER = timedelta(seconds=30)


def utc_now() -> datetime:
    """The clock of everyone but tests."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What signs a link: exactly one of an account key and a delegated one, which ends at `expires`."""

    account_key: str | None = field(default=None, repr=False)
    delegated: UserDelegationKey | None = field(default=None, repr=False)
    expires: datetime | None = None


class SigningKeyProvider(Protocol):
    """Where links get the key that signs them."""

    async def current(self) -> SigningKey:
        """The key to sign with now; raises StorageFaultError where storage gives none."""
        ...


@dataclass(frozen=True, slots=True)
class AccountKeyProvider:
    """The account's own key, which never changes."""

    key: SigningKey

    async def current(self) -> SigningKey:
        """The key."""
        return self.key


class DelegationKeyProvider:
    """Keys that storage delegates to an identity.

    `link_lifetime` says how long a key must still live to be of use.
    """

    def __init__(
        self, fetch: FetchKey, link_lifetime: timedelta, clock: Clock = utc_now, timeout_seconds: float = 5
    ) -> None:
        self._fetch = fetch
        self._seconds = timeout_seconds
        self._clock = clock
        self._lifetime = min(LONGEST_KEY, max(USUAL_KEY, 2 * link_lifetime))
        self._needed = min(link_lifetime, self._lifetime / 2)
        self._key: SigningKey | None = None
        self._renewal: asyncio.Task[SigningKey] | None = None
        self._not_before = datetime.min.replace(tzinfo=UTC)
        self._closed = False

    async def current(self) -> SigningKey:
        """The key to sign with now.

        A key that is nearing its end is renewed in the background; only a caller who finds none, or one too short for
        its link, waits.

        Raises:
            StorageFaultError: there is no key and storage gives none.
        """
        left = self._left()
        if self._key is not None and left >= self._needed:
            if left < (self._lifetime + self._needed) / 2 and self._clock() >= self._not_before:
                self._renew()
            return self._key
        try:
            # The renewal is everybody's: a caller whose time is up does not end it for the others.
            return await asyncio.shield(self._renew())
        except StorageError:
            if self._key is not None and self._left() > CLOCK_SKEW:
                return self._key
            raise
        except asyncio.CancelledError:
            if self._closed and not _is_cancelled():
                raise StorageError(StorageErrorCode.CREDENTIAL, "the account left the key ring") from None
            raise

    async def close(self) -> None:
        """Ends a renewal that is under way."""
        self._closed = True
        if self._renewal is not None:
            self._renewal.cancel(UNNEEDED)

    def _left(self) -> timedelta:
        return timedelta() if self._key is None or self._key.expires is None else self._key.expires - self._clock()

    def _renew(self) -> "asyncio.Task[SigningKey]":
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(self._fetched())
            self._renewal.add_done_callback(_told)
        return self._renewal

    async def _fetched(self) -> SigningKey:
        now = self._clock()
        expires = now + self._lifetime
        try:
            # A fetch that hangs would hold up every caller after it: identity libraries wait for minutes.
            async with asyncio.timeout(self._seconds):
                delegated = await self._fetch(now - 2 * CLOCK_SKEW, expires)
        except Exception as error:  # the SDK's errors have no common class of their own
            self._not_before = now + RETRY_AFTER
            raise error_from_exception(error) from error
        self._key = SigningKey(delegated=delegated, expires=expires)
        return self._key


def _is_cancelled() -> bool:
    """Whether it is the caller that was cancelled, not what it waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _told(renewal: "asyncio.Task[SigningKey]") -> None:
    # Nobody may be waiting for a renewal in the background, so its failure is told here.
    if not renewal.cancelled() and (error := renewal.exception()) is not None:
        log.warning("delegation key not renewed: %s", error)
