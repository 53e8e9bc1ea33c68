"""The key ring file as pydantic models."""

import re
from collections.abc import Callable
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StrictBool,
    StringConstraints,
    model_validator,
)

from adapters.credentials.config import (
    MAPS_ENDPOINT,
    AccountKeyConfig,
    ConnectionStringConfig,
    Endpoints,
    Identity,
    IdentityConfig,
    IdentityKind,
    MapsEntry,
    StorageEntry,
)
from adapters.credentials.connection_string import is_endpoint

_STORAGE_FORMS = (
    {"connection_string"},
    {"connection_string_env"},
    {"account_name", "account_key_env"},
    {"account_name", "credential"},
)
_ENDPOINTS = {"endpoint_suffix", "table_url", "blob_url", "queue_url"}
_CREDENTIAL_FORMS = (
    {"managed_identity"},
    {"managed_identity", "client_id"},
    {"tenant_id", "client_id", "client_secret_env"},
)
_MAPS_FORMS = ({"subscription_key_env"}, {"client_id", "credential"})
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
MAX_NAME_LENGTH = 64


def _require(is_valid: Callable[[str], bool], message: str) -> AfterValidator:
    def check(text: str) -> str:
        if not is_valid(text):
            raise ValueError(message)
        return text

    return AfterValidator(check)


def _is_key_name(name: str) -> bool:
    # It stands in lists, log lines and metrics, each on one line.
    return 0 < len(name) <= MAX_NAME_LENGTH and name.isprintable() and name == name.strip()


def _is_maps_url(url: str) -> bool:
    # The key and the addresses to geocode go there.
    return is_endpoint(url) and (url.startswith("https://") or urlsplit(url).hostname in _LOOPBACK)


Text = Annotated[str, StringConstraints(min_length=1)]
AccountName = Annotated[str, StringConstraints(pattern="^[a-z0-9]{1,63}$")]
Suffix = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]{1,253}$")]
# A secret in this place by mistake must not appear in a message as the name of a variable that is not set.
Variable = Annotated[
    str,
    _require(
        lambda text: re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", text) is not None,
        "must be the name of an environment variable, not its value",
    ),
]
MapsUrl = Annotated[
    str, _require(_is_maps_url, "must be an https URL without a query; plain http is for loopback only")
]
Guid = Annotated[str, StringConstraints(pattern="^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$")]
EndpointUrl = Annotated[str, _require(is_endpoint, "must be an http or https URL without a query")]
KeyName = Annotated[
    str,
    _require(_is_key_name, f"must be 1 to {MAX_NAME_LENGTH} printable characters, without blanks around them"),
]


class StrictModel(BaseModel):
    """A part of the key ring file. Unknown members are refused."""

    # An unknown member is a mistake: a misspelled `expires` would make a key that never ends.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class CredentialModel(StrictModel):
    """A Microsoft Entra identity."""

    managed_identity: Literal[True] | None = None
    tenant_id: Text | None = None
    client_id: Text | None = None
    client_secret_env: Variable | None = None

    @model_validator(mode="after")
    def _check_form(self) -> "CredentialModel":
        if self.model_fields_set not in _CREDENTIAL_FORMS:
            raise ValueError("must be managed_identity (and client_id), or tenant_id, client_id and client_secret_env")
        return self

    @property
    def kind(self) -> IdentityKind:
        """The kind of the identity."""
        return IdentityKind.MANAGED_IDENTITY if self.managed_identity else IdentityKind.CLIENT_SECRET


class StorageModel(StrictModel):
    """The storage of an account."""

    connection_string: SecretStr | None = None
    connection_string_env: Variable | None = None
    account_name: AccountName | None = None
    account_key_env: Variable | None = None
    credential: Literal["default"] | CredentialModel | None = None
    endpoint_suffix: Suffix = "core.windows.net"
    table_url: EndpointUrl | None = None
    blob_url: EndpointUrl | None = None
    queue_url: EndpointUrl | None = None

    @model_validator(mode="after")
    def _check_form(self) -> "StorageModel":
        form = self.model_fields_set - _ENDPOINTS
        if form not in _STORAGE_FORMS or (self.model_fields_set & _ENDPOINTS and "account_name" not in form):
            raise ValueError(
                "must be one of connection_string, connection_string_env, account_name with account_key_env,"
                " account_name with credential; only the last two take endpoint_suffix, table_url,"
                " blob_url and queue_url"
            )
        return self

    def build_entry(self) -> StorageEntry:
        """The entry for the adapters. Nothing of it is looked up yet."""
        if self.account_name is None:
            text = None if self.connection_string is None else self.connection_string.get_secret_value()
            return ConnectionStringConfig(text, self.connection_string_env)
        endpoints = Endpoints(self.account_name, self.endpoint_suffix, self.table_url, self.blob_url, self.queue_url)
        if self.account_key_env is not None:
            return AccountKeyConfig(endpoints, self.account_key_env)
        named = self.credential
        if not isinstance(named, CredentialModel):
            return IdentityConfig(endpoints, IdentityKind.DEFAULT)
        return IdentityConfig(endpoints, named.kind, named.tenant_id, named.client_id, named.client_secret_env)


class MapsModel(StrictModel):
    """The Azure Maps of an account (geocode contract, section 1)."""

    subscription_key_env: Variable | None = None
    client_id: Guid | None = None
    credential: Literal["default"] | CredentialModel | None = None
    endpoint: MapsUrl = MAPS_ENDPOINT

    @model_validator(mode="after")
    def _check_form(self) -> "MapsModel":
        given = {name for name in self.model_fields_set if getattr(self, name) is not None}
        if given - {"endpoint"} not in _MAPS_FORMS:
            raise ValueError("must be subscription_key_env, or client_id with credential; each takes endpoint")
        return self

    def build_entry(self) -> MapsEntry:
        """The entry for the adapters. Nothing of it is looked up yet."""
        endpoint, named = self.endpoint.rstrip("/"), self.credential
        if self.subscription_key_env is not None:
            return MapsEntry(self.subscription_key_env, endpoint=endpoint)
        identity = Identity(IdentityKind.DEFAULT)
        if isinstance(named, CredentialModel):
            identity = Identity(named.kind, named.tenant_id, named.client_id, named.client_secret_env)
        return MapsEntry(None, self.client_id, identity, endpoint)


class AccountModel(StrictModel):
    """An account of the key ring file."""

    storage: StorageModel
    maps: MapsModel | None = None


class KeyModel(StrictModel):
    """A key of the key ring file."""

    account: Text
    role: Literal["master", "query"] = "master"
    expires: AwareDatetime | None = None
    data_sources: tuple[Text, ...] | None = None
    name: KeyName | None = None
    # Whether the key's reads may be sent on to PROXY_SHADOW_URL for comparison.
    shadow: StrictBool = False


class KeyRingModel(StrictModel):
    """The key ring file."""

    accounts: dict[str, AccountModel] = Field(min_length=1)
    keys: dict[str, KeyModel] | None = None
    key_store: StorageModel | None = None
