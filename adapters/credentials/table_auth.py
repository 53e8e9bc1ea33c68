"""How a table read proves who asks, by public means of the SDKs only."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from azure.core.credentials import AccessToken, AzureNamedKeyCredential
from azure.core.credentials_async import AsyncTokenCredential
from azure.data.tables import TableSasPermissions, generate_table_sas

from adapters.credentials.config import Credential, SharedKeyCredential, TokenCredential

# The signature never leaves this process and its request to storage, so it may live long; it is made
# anew at half its life.
LIFETIME = timedelta(hours=12)

# Storage's own audience, the same in every cloud.
SCOPE = "https://storage.azure.com/.default"

# Seconds before its end from which a token is not used any more; identity libraries renew their own as early.
TOKEN_MARGIN = 300.0


@dataclass(frozen=True, slots=True)
class AuthMaterial:
    """What a request to storage carries: a query, encoded as it stands in a URL, and headers."""

    query: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class TableAuth(Protocol):
    """Proves to a table who asks."""

    async def proof(self) -> AuthMaterial:
        """What the next request carries; raises the identity library's errors where there is no token."""
        ...

    def refused(self) -> None:
        """Tells that storage did not accept the proof, so that the next one is made anew."""
        ...


def table_authentication(credential: Credential, table: str) -> TableAuth:
    """What it takes to read a table as this credential."""
    if isinstance(credential, TokenCredential):
        return BearerTableAuth(credential.token)
    return SasTableAuth(credential, table)


class SasTableAuth:
    """Signs reads of one table with an account key.

    The tables SDK keeps its shared-key signing private; a signature for reading the table is public, and made once
    for many requests.
    """

    def __init__(self, credential: SharedKeyCredential, table: str) -> None:
        self._key = AzureNamedKeyCredential(credential.account_name, credential.account_key)
        self._table = table
        # Signed for https, it is worth nothing to who sees it in the clear.
        self._protocol = "https" if credential.table_url.startswith("https://") else "https,http"
        self._renew_at = datetime.min.replace(tzinfo=UTC)
        self._proof = AuthMaterial()

    async def proof(self) -> AuthMaterial:
        """The signature, as a query."""
        now = datetime.now(UTC)
        if now >= self._renew_at:
            permission = TableSasPermissions(read=True)
            signature = generate_table_sas(
                self._key, self._table, permission=permission, expiry=now + LIFETIME, protocol=self._protocol
            )
            self._proof = AuthMaterial(query=signature)
            self._renew_at = now + LIFETIME / 2
        return self._proof

    def refused(self) -> None:
        """Signs anew next time: our clock may have been wrong."""
        self._renew_at = datetime.min.replace(tzinfo=UTC)


class BearerTableAuth:
    """The token of an identity, asked for once until it nears its end, however many requests wait for it."""

    def __init__(self, identity: AsyncTokenCredential) -> None:
        self._identity = identity
        self._token = AccessToken("", 0)
        self._proof = AuthMaterial()
        self._asking = asyncio.Lock()

    async def proof(self) -> AuthMaterial:
        """The token, as a header."""
        if self._token.expires_on - TOKEN_MARGIN <= time.time():
            async with self._asking:
                if self._token.expires_on - TOKEN_MARGIN <= time.time():
                    self._token = await self._identity.get_token(SCOPE)
                    self._proof = AuthMaterial(headers={"Authorization": f"Bearer {self._token.token}"})
        return self._proof

    def refused(self) -> None:
        """Asks for another token next time."""
        self._token = AccessToken("", 0)
