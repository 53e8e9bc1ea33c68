"""Finds what a caller's key may do, and throttles attempts to guess keys."""

import asyncio
import logging
from typing import NamedTuple

from starlette.types import Scope

from proxy.api.auth_throttle import AuthThrottle, client_network
from proxy.keyring.keyring import ExpiredKeyError, UnknownKeyError, hash_key
from proxy.keyring.lookup import KeyEntry, KeyStoreUnavailableError, RevokedKeyError, UnreadableKeyError
from proxy.keyring.reload import ActiveKeyRing
from proxy.wire.errors import ApiError, ErrorCode

log = logging.getLogger("proxy.request")


class Attempt(NamedTuple):
    """A key that a client tries: its SHA-256, and the client's address."""

    digest: bytes
    address: str


class Authenticator:
    """Looks keys up, wherever the key ring in use has them.

    Args:
        ring: the key ring.
        timeout: seconds within which a key is found, or the key store counts as unavailable.
        trusts_proxies: whether the settings name proxies in front, whose X-Forwarded-For counts.
    """

    def __init__(self, ring: ActiveKeyRing, timeout: float, *, trusts_proxies: bool) -> None:
        self._ring = ring
        self._timeout = timeout
        self._throttle = AuthThrottle()
        self._warns_of_forwarding = not trusts_proxies

    async def admit(self, key: bytes | None, scope: Scope) -> Attempt:
        """Admits a key to the look-up, after the delay that its client's earlier attempts have earned.

        Raises:
            ApiError: there is no key, or the client has tried too many.
        """
        if key is None:
            raise ApiError(ErrorCode.NO_KEY)
        self._warn_of_forwarding(scope)
        digest, address = hash_key(key), (scope.get("client") or ("",))[0]
        seconds = self._throttle.delay(address, digest)
        if seconds is None:
            raise ApiError(ErrorCode.TOO_MANY_KEYS)
        if seconds:
            await asyncio.sleep(seconds)
        return Attempt(digest, address)

    async def find(self, attempt: Attempt) -> KeyEntry:
        """Finds the key of an admitted attempt.

        Raises:
            ApiError: the key is unknown or has expired.
            RevokedKeyError: it was revoked, which its caller must not learn.
            KeyStoreUnavailableError: the key store can't be read, or not in time.
            UnreadableKeyError: the key's row can't be read, or its account is not in the key ring.
        """
        digest, address = attempt
        try:
            async with asyncio.timeout(self._timeout):
                entry = await self._ring.keys.find(digest, client_network(address))
        except RevokedKeyError:
            self._throttle.record_failure(address, digest)
            raise
        except UnknownKeyError:
            self._throttle.record_failure(address, digest)
            raise ApiError(ErrorCode.UNKNOWN_KEY) from None
        except ExpiredKeyError:  # it is no guess
            self._throttle.record_success(address, digest)
            raise ApiError(ErrorCode.EXPIRED_KEY) from None
        except TimeoutError:
            self._throttle.record_no_answer(address, digest)
            raise KeyStoreUnavailableError from None
        except (KeyStoreUnavailableError, UnreadableKeyError, asyncio.CancelledError):
            self._throttle.record_no_answer(address, digest)
            raise
        self._throttle.record_success(address, digest)
        return entry

    async def belongs_to(self, account: str, key: bytes, scope: Scope) -> bool:
        """Whether a valid key is one of this account.

        Raises:
            ApiError: the client has tried too many keys.
            KeyStoreUnavailableError, UnreadableKeyError: nobody knows.
        """
        try:
            return (await self.find(await self.admit(key, scope))).grant.account == account
        except RevokedKeyError:
            return False
        except ApiError as error:
            if error.code is ErrorCode.TOO_MANY_KEYS:
                raise
            return False

    def _warn_of_forwarding(self, scope: Scope) -> None:
        if self._warns_of_forwarding and any(name == b"x-forwarded-for" for name, _ in scope["headers"]):
            self._warns_of_forwarding = False
            log.warning("X-Forwarded-For is not trusted: set PROXY_TRUSTED_PROXIES if a proxy of yours is in front")
