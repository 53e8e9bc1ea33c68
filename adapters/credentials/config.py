"""Storage entries of a key ring, and shared keys. Imports nothing of Azure; `factory.py` makes credentials of them."""

from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class ConnectionStringConfig:
    """A connection string written in the key ring, or the name of the environment variable that holds one."""

    value: str | None = field(default=None, repr=False)
    variable: str | None = None


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The endpoints of an account's services. A missing URL follows from the account's name and the suffix."""

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
        """The queue endpoint, without a slash at its end. Where only the blobs' is given, it follows from that."""
        derived = derive_queue_url(self.blob_url) if self.blob_url else None
        return (self.queue_url or derived or f"https://{self.account_name}.queue.{self.suffix}").rstrip("/")


def derive_queue_url(blob_url: str) -> str | None:
    """The queue endpoint that belongs to a blob endpoint, None where its host name has no `.blob.`.

    Clouds and private endpoints name an account's services alike: `name.blob.rest` and `name.queue.rest`.
    """
    host = urlsplit(blob_url).netloc
    queue_host = host.replace(".blob.", ".queue.", 1)
    return None if queue_host == host else blob_url.replace(host, queue_host, 1).rstrip("/")


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

    A client secret has a tenant id, a client id and a variable. A managed identity with a client id is user-assigned.
    """

    endpoints: Endpoints
    kind: IdentityKind
    tenant_id: str | None = None
    client_id: str | None = None
    client_secret_variable: str | None = None

    @property
    def variable(self) -> str | None:
        """The environment variable that the entry names, if it does."""
        return self.client_secret_variable


@dataclass(frozen=True, slots=True)
class Identity:
    """A Microsoft Entra identity of what is no storage; its members are those of `IdentityConfig`."""

    kind: IdentityKind
    tenant_id: str | None = None
    client_id: str | None = None
    client_secret_variable: str | None = None


MAPS_ENDPOINT = "https://atlas.microsoft.com"


@dataclass(frozen=True, slots=True)
class MapsEntry:
    """The Azure Maps account of an account: by a subscription key in a variable, or by an identity (geocode.md, 1).

    Attributes:
        subscription_key_variable: the environment variable that holds the key.
        client_id: the unique id of the Azure Maps account, not that of the identity.
        identity: what gets tokens; given exactly where `client_id` is.
        endpoint: its URL, without a slash at its end.
    """

    subscription_key_variable: str | None = None
    client_id: str | None = None
    identity: Identity | None = None
    endpoint: str = MAPS_ENDPOINT

    @property
    def variable(self) -> str | None:
        """The environment variable that the entry names, if it does."""
        secret = None if self.identity is None else self.identity.client_secret_variable
        return self.subscription_key_variable or secret


StorageEntry = ConnectionStringConfig | AccountKeyConfig | IdentityConfig


@dataclass(frozen=True, slots=True)
class SharedKeyCredential:
    """A credential that signs with the account's own key."""

    account_name: str
    account_key: str = field(repr=False)
    table_url: str
    blob_url: str
    queue_url: str
