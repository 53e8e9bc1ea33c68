"""How a table read proves who asks, by public means of the SDKs only."""

from datetime import UTC, datetime, timedelta
from typing import Any

from azure.core.credentials import AzureNamedKeyCredential, AzureSasCredential
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy, AzureSasCredentialPolicy
from azure.data.tables import TableSasPermissions, generate_table_sas

from adapters.credentials import Credential, SharedKey, TokenIdentity

Authentication = AsyncBearerTokenCredentialPolicy[Any, Any] | AzureSasCredentialPolicy[Any, Any]

# The signature never leaves this process and its request to storage, so it may live long; it is made
# anew at half its life.
LIFETIME = timedelta(hours=12)


# Storage's own audience, the same in every cloud.
SCOPE = "https://storage.azure.com/.default"


def table_authentication(credential: Credential, table: str) -> Authentication:
    """What a pipeline needs to read a table as this credential."""
    if isinstance(credential, TokenIdentity):
        return AsyncBearerTokenCredentialPolicy(credential.token, SCOPE)
    return TableSignature(credential, table)


class TableSignature(AzureSasCredentialPolicy[Any, Any]):
    """Signs reads of one table with an account key.

    The tables SDK keeps its shared-key signing private; a signature for reading the table is public, and made once
    for many requests.
    """

    def __init__(self, credential: SharedKey, table: str) -> None:
        self._key = AzureNamedKeyCredential(credential.account_name, credential.account_key)
        self._table = table
        # Signed for https, it is worth nothing to who sees it in the clear.
        self._protocol = "https" if credential.table_url.startswith("https://") else "https,http"
        self._renew_at = datetime.min.replace(tzinfo=UTC)
        self._signature = AzureSasCredential("unsigned")
        super().__init__(self._signature)

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Adds the signature to the request's query."""
        now = datetime.now(UTC)
        if now >= self._renew_at:
            permission = TableSasPermissions(read=True)
            signature = generate_table_sas(
                self._key, self._table, permission=permission, expiry=now + LIFETIME, protocol=self._protocol
            )
            self._signature.update(signature)
            self._renew_at = now + LIFETIME / 2
        super().on_request(request)
