"""Bing keys, and what each may do. Only digests of keys are kept."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from adapters.credentials.config import MapsEntry, StorageEntry
from proxy.keyring.patterns import DataSourcePattern

DIGEST_PREFIX = "sha256:"


class UnknownKeyError(Exception):
    """The key ring has no such key."""


class ExpiredKeyError(Exception):
    """The key has expired."""


class Role(Enum):
    """A master key may do everything in its account. A query key reads information and follows geocode jobs."""

    MASTER = "master"
    QUERY = "query"


@dataclass(frozen=True, slots=True)
class KeyGrant:
    """What a key may do.

    Args:
        account: the account that it opens.
        role: what it may do there.
        expires: when it ends.
        data_sources: patterns of the data sources that it opens; None: all.
        name: the name of the program that has the key.
        shadow: whether its reads may be sent on to PROXY_SHADOW_URL (operations contract, section 4).
    """

    account: str
    role: Role = Role.MASTER
    expires: datetime | None = None
    data_sources: tuple[DataSourcePattern, ...] | None = None
    name: str | None = None
    shadow: bool = False

    @property
    def is_restricted(self) -> bool:
        """Whether the key is for some data sources only, and so for no geocode jobs."""
        return self.data_sources is not None

    def allows(self, data_source_name: str | None) -> bool:
        """Whether the key opens this data source, its name in any letter case."""
        if self.data_sources is None:
            return True
        name = (data_source_name or "").lower()
        return bool(name) and any(pattern.matches(name) for pattern in self.data_sources)


class KeyRing:
    """The accounts with their storage, and what each key may do, by the SHA-256 of the key.

    Lookups do not leak timing information: entries are indexed by an HMAC with a per-process secret, and the digest is
    then compared in constant time. `fingerprint` tells one ring's text from another's. A ring with a `key_store` has no
    keys: they are in that storage.
    """

    def __init__(
        self,
        accounts: Mapping[str, StorageEntry],
        grants: Mapping[bytes, KeyGrant],
        fingerprint: bytes = b"",
        key_store: StorageEntry | None = None,
        maps: Mapping[str, MapsEntry] | None = None,
    ) -> None:
        self.accounts = accounts
        self.fingerprint = fingerprint
        self.key_store = key_store
        self.maps: Mapping[str, MapsEntry] = maps or {}
        """The Azure Maps of the accounts that have one."""
        self._secret = secrets.token_bytes(32)
        self._grants = {self._index(digest): (digest, grant) for digest, grant in grants.items()}

    @property
    def grants(self) -> Mapping[bytes, KeyGrant]:
        """What each key may do, by its digest."""
        return dict(self._grants.values())

    @property
    def storage_entries(self) -> list[StorageEntry]:
        """Every storage entry of the ring: its accounts' and its key store's."""
        return [*self.accounts.values(), *([] if self.key_store is None else [self.key_store])]

    @property
    def variables(self) -> list[str]:
        """The environment variables that the ring names."""
        named = [entry.variable for entry in (*self.storage_entries, *self.maps.values())]
        return [name for name in named if name]

    def get_grant(self, digest: bytes, now: datetime) -> KeyGrant:
        """What the key of this digest may do.

        Raises:
            UnknownKeyError: the ring does not have it.
            ExpiredKeyError: it has expired.
        """
        grant = self._find(digest)
        if grant is None:
            raise UnknownKeyError
        if grant.expires is not None and grant.expires <= now:
            raise ExpiredKeyError
        return grant

    def has_key(self, text: str) -> bool:
        """Whether a text is a key of the ring, expired or not."""
        return self._find(hash_key(text.encode("utf-8", "surrogatepass"))) is not None

    def _find(self, digest: bytes) -> KeyGrant | None:
        known, grant = self._grants.get(self._index(digest), (b"", None))
        return grant if hmac.compare_digest(known, digest) else None

    def _index(self, digest: bytes) -> bytes:
        return hmac.digest(self._secret, digest, "sha256")


def hash_key(key: bytes) -> bytes:
    """The SHA-256 of a key's UTF-8 bytes."""
    return hashlib.sha256(key).digest()
