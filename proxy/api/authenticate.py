"""Finds what a caller's key may do, and throttles attempts to guess keys."""

import asyncio
import logging
from datetime import UTC, datetime

from starlette.types import Scope

from proxy.api.auth_throttle import AuthThrottle
from proxy.keyring.keyring import ExpiredKeyError, KeyGrant, UnknownKeyError, hash_key
from proxy.keyring.reload import ActiveKeyRing
from proxy.wire.errors import ApiError, ErrorCode

log = logging.getLogger("proxy.request")


class Authenticator:
    """Looks keys up in the key ring in use.

    Args:
        ring: the key ring.
        trusts_proxies: whether the settings name proxies in front, whose X-Forwarded-For counts.
    """

    def __init__(self, ring: ActiveKeyRing, *, trusts_proxies: bool) -> None:
        self._ring = ring
        self._throttle = AuthThrottle()
        self._warns_of_forwarding = not trusts_proxies

    async def authenticate(self, key: bytes | None, scope: Scope) -> KeyGrant:
        """What the key may do, after the delay that its client's earlier attempts have earned.

        Raises:
            ApiError: there is no key, it is unknown or has expired, or the client has tried too many.
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
        try:
            grant = self._ring.keyring.get_grant(digest, datetime.now(UTC))
        except UnknownKeyError:
            self._throttle.record_failure(address, digest)
            raise ApiError(ErrorCode.UNKNOWN_KEY) from None
        except ExpiredKeyError:  # it is no guess
            self._throttle.record_success(address, digest)
            raise ApiError(ErrorCode.EXPIRED_KEY) from None
        self._throttle.record_success(address, digest)
        return grant

    async def belongs_to(self, account: str, key: bytes, scope: Scope) -> bool:
        """Whether a valid key is one of this account.

        Raises:
            ApiError: the client has tried too many keys.
        """
        try:
            return (await self.authenticate(key, scope)).account == account
        except ApiError as error:
            if error.code is ErrorCode.TOO_MANY_KEYS:
                raise
            return False

    def _warn_of_forwarding(self, scope: Scope) -> None:
        if self._warns_of_forwarding and any(name == b"x-forwarded-for" for name, _ in scope["headers"]):
            self._warns_of_forwarding = False
            log.warning("X-Forwarded-For is not trusted: set PROXY_TRUSTED_PROXIES if a proxy of yours is in front")
