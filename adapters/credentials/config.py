"""What a key ring may say of an account's storage, and the credentials that come of it.

The kinds are data: the key ring fills them in without looking into any. Only `adapters/credentials/factory.py` makes
clients of them.
"""

from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import urlsplit

from azure.core.credentials_async import AsyncTokenCredential


@dataclass(frozen=True, slots=True)
class ConnectionStringConfig:
    """A connection string written in the key ring, or the name of the environment variable that holds one."""

    value: str | None = field(default=None, repr=False)
    variable: str | None = None


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where an account's services answer; a URL that is not given follows from the account's name and the suffix."""

    account_name: str
    suffix: str = "core.windows.net"
    table_url: str | None = None
    blob_url: str | None = None
    queue_url: str | None = None

    def table(self) -> str:
        """The table endpoint, without a slash at its end."""
        return (self.table_url or f"https://{self.account_name}.table.{self.suffix}").rstrip("/")

    def blob(self) -> str:
        """The blob endpoint, without a slash at its end."""
        return (self.blob_url or f"https://{self.account_name}.blob.{self.suffix}").rstrip("/")

    def queue(self) -> str:
        """The queue endpoint, without a slash at its end; where only the blobs' is given, the one beside it."""
        beside = derive_queue_url(self.blob_url) if self.blob_url else None
        return (self.queue_url or beside or f"https://{self.account_name}.queue.{self.suffix}").rstrip("/")


def derive_queue_url(blob_url: str) -> str | None:
    """The queue endpoint of the account whose blob endpoint this is, None where its name does not tell.

    Clouds and private endpoints name an account's services alike: `name.blob.rest` and `name.queue.rest`.
    """
    host = urlsplit(blob_url).netloc
    beside = host.replace(".blob.", ".queue.", 1)
    return blob_url.replace(host, beside, 1).rstrip("/") if beside != host else None


@dataclass(frozen=True, slots=True)
class AccountKeyConfig:
    """An account name, and the environment variable that holds its key."""

    endpoints: Endpoints
    variable: str


class IdentityKind(Enum):
    """The kinds of Microsoft Entra identity."""

    DEFAULT = "default"
    MANAGED_IDENTITY = "managed_identity"
    CLIENT_SECRET = "client_secret"  # noqa: S105 - the name of a kind


@dataclass(frozen=True, slots=True)
class IdentityConfig:
    """An account name, and the Microsoft Entra identity that may read it.

    A client secret has all three of tenant, client and variable; a managed identity may have a client id, which makes
    it a user-assigned one.
    """

    endpoints: Endpoints
    kind: IdentityKind
    tenant_id: str | None = None
    client_id: str | None = None
    client_secret_variable: str | None = None


StorageEntry = ConnectionStringConfig | AccountKeyConfig | IdentityConfig


@dataclass(frozen=True, slots=True)
class SharedKeyCredential:
    """A credential that signs with the account's own key."""

    account_name: str
    account_key: str = field(repr=False)
    table_url: str
    blob_url: str
    queue_url: str


@dataclass(frozen=True, slots=True)
class TokenCredential:
    """A credential that asks with tokens of an identity, and signs with a key that storage delegates to it."""

    account_name: str
    token: AsyncTokenCredential = field(repr=False)
    table_url: str
    blob_url: str
    queue_url: str


Credential = SharedKeyCredential | TokenCredential
