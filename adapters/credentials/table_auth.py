"""Authentication of table reads, by public means of the SDKs only."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from azure.core.credentials import AzureNamedKeyCredential
from azure.data.tables import TableSasPermissions, generate_table_sas

from adapters.credentials.factory import Credential, TokenCredential

# A signature stays within this process and its requests to storage, so it may live long. It is renewed at half its
# life.
LIFETIME = timedelta(hours=12)

# Storage's audience, the same in every cloud.
SCOPE = "https://storage.azure.com/.default"

# Seconds before its expiry from which a token is not used any more; identity libraries renew their own as early.
TOKEN_MARGIN = 300.0


@dataclass(frozen=True, slots=True)
class AuthMaterial:
    """What a request to storage carries: a URL-encoded query, and headers."""

    query: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class TableAuth:
    """Authenticates the reads of one table. Concurrent requests share one renewal.

    An identity sends its token. For an account key, the tables SDK keeps its request signing private; a SAS for reading
    the table is public, and one serves many requests.
    """

    def __init__(self, credential: Credential, table: str) -> None:
        self._credential = credential
        self._table = table
        self._material = AuthMaterial()
        self._renew_at = 0.0
        self._lock = asyncio.Lock()

    async def current(self) -> AuthMaterial:
        """What the next request carries; raises the identity library's errors where there is no token."""
        if time.time() >= self._renew_at:
            async with self._lock:
                if time.time() >= self._renew_at:
                    await self._renew()
        return self._material

    def invalidate(self) -> None:
        """Renews the material for the next request, since storage refused it; this clock may have been wrong."""
        self._renew_at = 0.0

    async def _renew(self) -> None:
        if isinstance(self._credential, TokenCredential):
            token = await self._credential.token.get_token(SCOPE)
            self._material = AuthMaterial(headers={"Authorization": f"Bearer {token.token}"})
            self._renew_at = token.expires_on - TOKEN_MARGIN
            return
        signature = generate_table_sas(
            AzureNamedKeyCredential(self._credential.account_name, self._credential.account_key),
            self._table,
            permission=TableSasPermissions(read=True),
            expiry=datetime.now(UTC) + LIFETIME,
            # A signature for https is worth nothing to an eavesdropper on plain http.
            protocol="https" if self._credential.table_url.startswith("https://") else "https,http",
        )
        self._material = AuthMaterial(query=signature)
        self._renew_at = time.time() + LIFETIME.total_seconds() / 2
