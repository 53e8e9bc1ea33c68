"""Makes a credential of a key ring's storage entry, without a request to storage."""

import os
from dataclasses import dataclass, field

from azure.core.credentials_async import AsyncTokenCredential

from adapters.credentials.config import (
    AccountKeyConfig,
    ConnectionStringConfig,
    Identity,
    IdentityConfig,
    IdentityKind,
    SharedKeyCredential,
    StorageEntry,
)
from adapters.credentials.connection_string import check_account_key, parse_connection_string
from adapters.errors import StorageError, StorageErrorCode


@dataclass(frozen=True, slots=True)
class TokenCredential:
    """A credential that sends tokens of an identity, and signs links with a key that storage delegates to it."""

    account_name: str
    token: AsyncTokenCredential = field(repr=False)
    table_url: str
    blob_url: str
    queue_url: str


Credential = SharedKeyCredential | TokenCredential


def open_credential(entry: StorageEntry) -> Credential:
    """Makes the credential of a storage entry.

    Raises:
        StorageError: the entry can't be used; the text says why and holds no part of it.
    """
    if isinstance(entry, ConnectionStringConfig):
        text = entry.value if entry.variable is None else read_variable(entry.variable)
        return parse_connection_string(text or "")
    endpoints = entry.endpoints
    urls = endpoints.table(), endpoints.blob(), endpoints.queue()
    if isinstance(entry, AccountKeyConfig):
        key = check_account_key(read_variable(entry.variable))
        return SharedKeyCredential(endpoints.account_name, key, *urls)
    for url in urls:
        if not url.startswith("https://"):
            raise StorageError(StorageErrorCode.CREDENTIAL, "an identity's tokens are sent by https only")
    return TokenCredential(endpoints.account_name, open_identity(entry), *urls)


def open_identity(identity: IdentityConfig | Identity) -> AsyncTokenCredential:
    """Makes what gets tokens of an identity.

    Raises:
        StorageError: the entry can't be used; the text says why and holds no part of it.
    """
    try:
        return _token_credential(identity)
    except ValueError:  # azure-identity's text would repeat the tenant or client id
        raise StorageError(StorageErrorCode.CREDENTIAL, "the tenant_id or client_id is malformed") from None


def _token_credential(identity: IdentityConfig | Identity) -> AsyncTokenCredential:
    # Imported only where an account needs it: it takes as long as all other imports together.
    from azure.identity.aio import (  # noqa: PLC0415
        ClientSecretCredential,
        DefaultAzureCredential,
        ManagedIdentityCredential,
    )

    if identity.kind is IdentityKind.DEFAULT:
        return DefaultAzureCredential()
    if identity.kind is IdentityKind.MANAGED_IDENTITY:
        return ManagedIdentityCredential(client_id=identity.client_id)
    secret = read_variable(identity.client_secret_variable or "")
    return ClientSecretCredential(identity.tenant_id or "", identity.client_id or "", secret)


def read_variable(name: str) -> str:
    """The value of an environment variable that a key ring names.

    Raises:
        StorageError: it is not set, or empty.
    """
    value = os.environ.get(name)
    if not value:
        raise StorageError(StorageErrorCode.CREDENTIAL, f"the environment variable {name} is not set")
    return value
