"""Finds what a key may do, whatever holds the keys: the key ring or the key store. Endpoints do not know which.

Imports nothing of Azure.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from proxy.keyring.keyring import KeyGrant, KeyRing, UnknownKeyError


class RevokedKeyError(UnknownKeyError):
    """The key was revoked. A caller must not learn that it ever existed; the log line has its name."""

    def __init__(self, name: str | None) -> None:
        super().__init__()
        self.name = name


class UnreadableKeyError(Exception):
    """The key's row can't be read, or its account is not in this server's ring. Other keys are well."""


class KeyStoreUnavailableError(Exception):
    """The key store can't be read, so it is not known what the key may do. `retry_after` is in seconds."""

    def __init__(self, retry_after: int = 2) -> None:
        super().__init__()
        self.retry_after = retry_after


class KeyEntry(Protocol):
    """A key that was found. A cached response keeps the entry of its key."""

    @property
    def grant(self) -> KeyGrant:
        """What the key may do."""
        ...

    def is_valid(self) -> bool:
        """Whether a response that was made for this key may be repeated without another look-up; counts as a use."""
        ...


class KeyLookup(Protocol):
    """Finds keys by their digests."""

    async def find(self, digest: bytes, network: str) -> KeyEntry:
        """The entry of a key.

        Args:
            digest: the SHA-256 of the key.
            network: the client's network, for fair shares of reads that find nothing.

        Raises:
            UnknownKeyError: there is no such key; RevokedKeyError where it was revoked.
            ExpiredKeyError: it has expired.
            UnreadableKeyError: its row can't be read.
            KeyStoreUnavailableError: the key store can't be read.
        """
        ...

    def is_key(self, text: str) -> bool:
        """Whether a text is known to be a key, so that no log may hold it. It does no reads."""
        ...

    @property
    def is_ready(self) -> bool:
        """Whether keys can be found: the store was read at least once."""
        ...

    async def run(self) -> None:
        """Follows changes until cancelled."""
        ...

    async def close(self) -> None:
        """Closes its connections."""
        ...


class RingKeys:
    """The keys of a key ring."""

    is_ready = True

    def __init__(self, keyring: KeyRing) -> None:
        self._keyring = keyring

    async def find(self, digest: bytes, network: str) -> "RingEntry":  # noqa: ARG002 - a ring's look-ups need no shares
        """The entry of a key; raises as `KeyLookup.find` does."""
        return RingEntry(self._keyring.get_grant(digest, datetime.now(UTC)))

    def is_key(self, text: str) -> bool:
        """Whether a text is a key of the ring, expired or not."""
        return self._keyring.has_key(text)

    async def run(self) -> None:
        """Does nothing: `reload_on_change` follows the file."""

    async def close(self) -> None:
        """Does nothing: a ring has no connections."""


@dataclass(frozen=True, slots=True)
class RingEntry:
    """A key of a ring. A response is also bound to the ring itself, which a changed file replaces."""

    grant: KeyGrant

    def is_valid(self) -> bool:
        """Whether the key has not expired."""
        expires = self.grant.expires
        return expires is None or datetime.now(UTC) < expires
