"""Bing keys, and what each may do. Only digests of keys are kept."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from adapters.credentials.config import StorageEntry
from proxy.wire.errors import ApiError, ErrorCode

DIGEST_PREFIX = "sha256:"


class Role(Enum):
    """A master key may do everything in its account; a query key reads information and follows geocode jobs."""

    MASTER = "master"
    QUERY = "query"


@dataclass(frozen=True, slots=True)
class KeyGrant:
    """What a key may do: in which account, as what, until when, and with which data sources (None: with all).

    `name` is that of the program that has the key.
    """

    account: str
    role: Role = Role.MASTER
    expires: datetime | None = None
    data_sources: tuple[re.Pattern[str], ...] | None = None
    name: str | None = None

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
            raise ApiError(ErrorCode.MASTER_KEY_NEEDED)


class KeyRing:
    """The accounts with their storage, and what each key may do by the SHA-256 of its bytes.

    How long a look-up takes tells nothing of the digests: they are found under a value made with a secret of this
    process, which nobody outside can aim at, and then compared in constant time.
    """

    def __init__(
        self, accounts: Mapping[str, StorageEntry], grants: Mapping[bytes, KeyGrant], fingerprint: bytes = b""
    ) -> None:
        """`fingerprint` tells this ring's text from another's."""
        self.accounts = accounts
        self.fingerprint = fingerprint
        self._secret = secrets.token_bytes(32)
        self._grants = {self._place(digest): (digest, grant) for digest, grant in grants.items()}

    @property
    def grants(self) -> Mapping[bytes, KeyGrant]:
        """What each key may do, by its digest."""
        return dict(self._grants.values())

    def grant_of(self, digest: bytes, now: datetime) -> KeyGrant:
        """What the key of this digest may do.

        Raises:
            WireError: nobody has it, or it is past its end.
        """
        known, grant = self._grants.get(self._place(digest), (b"", None))
        if grant is None or not hmac.compare_digest(known, digest):
            raise ApiError(ErrorCode.UNKNOWN_KEY)
        if grant.expires is not None and grant.expires <= now:
            raise ApiError(ErrorCode.EXPIRED_KEY)
        return grant

    def has(self, key: str) -> bool:
        """Whether a text is a key of the ring, past its end or not."""
        digest = digest_of(key.encode("utf-8", "surrogatepass"))
        known, _ = self._grants.get(self._place(digest), (b"", None))
        return hmac.compare_digest(known, digest)

    def _place(self, digest: bytes) -> bytes:
        return hmac.digest(self._secret, digest, "sha256")


def digest_of(key: bytes) -> bytes:
    """The SHA-256 of a key's UTF-8 bytes."""
    return hashlib.sha256(key).digest()


def pattern_of(text: str) -> re.Pattern[str]:
    """A data source pattern: `*` stands for any text, and letter case does not matter."""
    return re.compile(".*".join(map(re.escape, text.lower().split("*"))), re.DOTALL)
