"""Bing keys, and what each may do. Only digests of keys are kept."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from fnmatch import translate

from adapters.credentials import StorageEntry
from proxy.bing.errors import ErrorCode, WireError

DIGEST_PREFIX = "sha256:"


class Role(Enum):
    """A master key may do everything in its account, a query key may list jobs."""

    MASTER = "master"
    QUERY = "query"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a key may do: in which account, as what, until when, and with which data sources (None: with all)."""

    account: str
    role: Role = Role.MASTER
    expires: datetime | None = None
    data_sources: tuple[re.Pattern[str], ...] | None = None

    @property
    def is_restricted(self) -> bool:
        """Whether the key is for some data sources only, and so for no geocode jobs."""
        return self.data_sources is not None

    def allows(self, data_source_name: str | None) -> bool:
        """Whether the key may see what belongs to this data source, its name in any letter case."""
        if self.data_sources is None:
            return True
        name = (data_source_name or "").lower()
        return bool(name) and any(pattern.fullmatch(name) for pattern in self.data_sources)

    def require_master(self) -> None:
        """Raises WireError for a query key."""
        if self.role is not Role.MASTER:
            raise WireError(ErrorCode.MASTER_KEY_NEEDED)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The accounts with their storage, and the keys by the SHA-256 of their bytes."""

    accounts: Mapping[str, StorageEntry]
    grants: Mapping[bytes, Grant]

    def grant_of(self, key: bytes | None, now: datetime) -> Grant:
        """What this key may do.

        Raises:
            WireError: there is no key, nobody has it, or it is past its end.
        """
        if key is None:
            raise WireError(ErrorCode.NO_KEY)
        grant = self.grants.get(digest_of(key))
        if grant is None:
            raise WireError(ErrorCode.UNKNOWN_KEY)
        if grant.expires is not None and grant.expires <= now:
            raise WireError(ErrorCode.EXPIRED_KEY)
        return grant


def digest_of(key: bytes) -> bytes:
    """The SHA-256 of a key's UTF-8 bytes."""
    return hashlib.sha256(key).digest()


def pattern_of(text: str) -> re.Pattern[str]:
    """A data source pattern: `*` stands for any text, and letter case does not matter."""
    return re.compile(translate(text.lower()))
