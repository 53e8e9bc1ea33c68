"""What a call to Azure Maps carries to be let in: a subscription key, or an identity's token. In headers only."""

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from typing import Protocol

from azure.core.credentials_async import AsyncTokenCredential

from adapters.credentials.config import MapsEntry
from adapters.credentials.factory import open_identity, read_variable
from adapters.credentials.table_auth import TOKEN_MARGIN
from adapters.errors import StorageError, StorageErrorCode
from adapters.maps.errors import MapsError, MapsFailure
from adapters.sdk_calls import error_from_exception

SCOPE = "https://atlas.microsoft.com/.default"
"""Azure Maps' audience."""
TOKEN_SECONDS = 30.0
"""For getting a token. The identity library tries more than once within it."""

Headers = Mapping[str, str]


class MapsAccess(Protocol):
    """Lets calls in."""

    account: str
    """Tells one Azure Maps account from another of the same endpoint; no secret."""
    member: str
    """The member of the maps entry to look at where Azure Maps refuses the call."""

    async def headers(self) -> Headers:
        """The headers of the next call.

        Raises:
            MapsError: there is no token.
        """
        ...

    def confirm(self, headers: Headers) -> None:
        """Notes that Azure Maps took these headers."""
        ...

    async def renew(self, refused: Headers) -> bool:
        """Whether others may be taken after a 401 of these headers."""
        ...

    async def close(self) -> None:
        """Closes the connections."""
        ...


class KeyAccess:
    """A subscription key, which is the same for ever."""

    member = "subscription_key_env"

    def __init__(self, key: str) -> None:
        self._headers = {"subscription-key": key}
        self.account = sha256(key.encode()).hexdigest()

    async def headers(self) -> Headers:
        """The key, in a header: a query parameter would lie in logs."""
        return self._headers

    def confirm(self, headers: Headers) -> None:
        """Notes nothing."""

    async def renew(self, refused: Headers) -> bool:
        """There is no other key."""
        del refused
        return False

    async def close(self) -> None:
        """There is nothing to close."""


class TokenAccess:
    """Tokens of a Microsoft Entra identity.

    Args:
        client_id: the unique id of the Azure Maps account.
        open_credential: opens the identity.
    """

    member = "client_id and credential"

    def __init__(self, client_id: str, open_credential: Callable[[], AsyncTokenCredential]) -> None:
        self.account, self._open = client_id, open_credential
        self._credential = open_credential()
        self._current: Headers = {}
        self._renew_at = 0.0
        self._confirmed: Headers | None = None
        self._lock = asyncio.Lock()

    async def headers(self) -> Headers:
        """The identity's token, until it nearly ends."""
        async with self._lock:
            if time.time() >= self._renew_at:
                try:
                    async with asyncio.timeout(TOKEN_SECONDS):
                        token = await self._credential.get_token(SCOPE)
                except Exception as error:  # noqa: BLE001 - the identity libraries' errors have no common base class
                    raise _describe(error) from None
                self._current = {"Authorization": f"Bearer {token.token}", "x-ms-client-id": self.account}
                self._renew_at = token.expires_on - TOKEN_MARGIN
            return self._current

    def confirm(self, headers: Headers) -> None:
        """Notes that this token was good."""
        self._confirmed = headers

    async def renew(self, refused: Headers) -> bool:
        """Opens the identity anew, without the token that its library holds.

        A token that was never taken is not renewed: the next one would be refused as well.
        """
        async with self._lock:
            if refused is not self._current:
                return True  # another call has renewed it
            if refused is not self._confirmed:
                return False
            before, self._credential = self._credential, self._open()
            self._current, self._renew_at = {}, 0.0
            await before.close()
        return True

    async def close(self) -> None:
        """Closes the identity's own connections."""
        await self._credential.close()


def open_access(entry: MapsEntry) -> MapsAccess:
    """Makes the access of a maps entry, without a request.

    Raises:
        MapsError: the entry can't be used; the text says why and holds no secret.
    """
    try:
        if entry.identity is None:
            return KeyAccess(_check_key(read_variable(entry.subscription_key_variable or "")))
        return TokenAccess(entry.client_id or "", partial(open_identity, entry.identity))
    except StorageError as error:
        raise MapsError(MapsFailure.CREDENTIAL, error.detail) from None


def _check_key(key: str) -> str:
    if not key.isascii() or not key.isprintable() or " " in key:
        raise StorageError(StorageErrorCode.CREDENTIAL, "the subscription key has characters that no header carries")
    return key


def _describe(error: Exception) -> MapsError:
    found = error_from_exception(error)
    is_denied = found.code is StorageErrorCode.ACCESS_DENIED
    failure = MapsFailure.CREDENTIAL if is_denied else MapsFailure.UNAVAILABLE
    return MapsError(failure, f"there is no token for it ({found.detail})")
