"""Reads a key ring. A mistake is one line that names the account or the key's digest, never the key."""

import json
import os
import re
import stat
from collections.abc import Mapping
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StrictBool,
    StringConstraints,
    ValidationError,
)
from pydantic import model_validator as validator

from adapters.credentials.config import (
    AccountKeyConfig,
    ConnectionStringConfig,
    Endpoints,
    IdentityConfig,
    IdentityKind,
    StorageEntry,
)
from adapters.credentials.connection_string import is_endpoint
from adapters.model.jobs import BlobPath
from adapters.tables.row_keys import is_key
from proxy.keyring.keyring import DIGEST_PREFIX, KeyGrant, KeyRing, Role, digest_of, pattern_of
from proxy.settings import Settings, SettingsError, variable

_DIGEST = re.compile(DIGEST_PREFIX + "[0-9a-f]{64}")
_STORAGE_FORMS = (
    {"connection_string"},
    {"connection_string_env"},
    {"account_name", "account_key_env"},
    {"account_name", "credential"},
)
LONGEST_NAME = 64
_ENDPOINTS = {"endpoint_suffix", "table_url", "blob_url", "queue_url"}

Text = Annotated[str, StringConstraints(min_length=1)]
AccountName = Annotated[str, StringConstraints(pattern="^[a-z0-9]{1,63}$")]
Suffix = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]{1,253}$")]


def _variable_name(name: str) -> str:
    # A secret that stands here by mistake must not be told as the name of a variable that is not set.
    if not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError("must be the name of an environment variable, not its value")
    return name


def _endpoint(url: str) -> str:
    if not is_endpoint(url):
        raise ValueError("must be an http or https URL without a query")
    return url


def _key_name(name: str) -> str:
    # It stands in lists, log lines and metrics, each on one line.
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise ValueError(f"must be 1 to {LONGEST_NAME} printable characters, without blanks around them")
    return name


Variable = Annotated[str, AfterValidator(_variable_name)]
EndpointUrl = Annotated[str, AfterValidator(_endpoint)]


class StrictModel(BaseModel):
    """A part of the key ring file. Unknown members are refused."""

    # An unknown member is a mistake: a misspelled `expires` would make a key that never ends.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class _Credential(StrictModel):
    managed_identity: Literal[True] | None = None
    tenant_id: Text | None = None
    client_id: Text | None = None
    client_secret_env: Variable | None = None

    @validator(mode="after")
    def _one_kind(self) -> "_Credential":
        given = self.model_fields_set
        if given not in ({"managed_identity"}, {"managed_identity", "client_id"}, _CLIENT_SECRET):
            raise ValueError("must be managed_identity (and client_id), or tenant_id, client_id and client_secret_env")
        return self


_CLIENT_SECRET = {"tenant_id", "client_id", "client_secret_env"}


class _Storage(StrictModel):
    connection_string: SecretStr | None = None
    connection_string_env: Variable | None = None
    account_name: AccountName | None = None
    account_key_env: Variable | None = None
    credential: Literal["default"] | _Credential | None = None
    endpoint_suffix: Suffix = "core.windows.net"
    table_url: EndpointUrl | None = None
    blob_url: EndpointUrl | None = None
    queue_url: EndpointUrl | None = None

    @validator(mode="after")
    def _one_form(self) -> "_Storage":
        form = self.model_fields_set - _ENDPOINTS
        if form not in _STORAGE_FORMS or (self.model_fields_set & _ENDPOINTS and "account_name" not in form):
            raise ValueError(
                "must be one of connection_string, connection_string_env, account_name with account_key_env,"
                " account_name with credential; only the last two take endpoint_suffix, table_url,"
                " blob_url and queue_url"
            )
        return self

    def entry(self) -> StorageEntry:
        if self.account_name is None:
            text = None if self.connection_string is None else self.connection_string.get_secret_value()
            return ConnectionStringConfig(text, self.connection_string_env)
        urls = self.table_url, self.blob_url, self.queue_url
        endpoints = Endpoints(self.account_name, self.endpoint_suffix, *urls)
        if self.account_key_env is not None:
            return AccountKeyConfig(endpoints, self.account_key_env)
        if not isinstance(self.credential, _Credential):
            return IdentityConfig(endpoints, IdentityKind.DEFAULT)
        named = self.credential
        kind = IdentityKind.MANAGED_IDENTITY if named.managed_identity else IdentityKind.CLIENT_SECRET
        return IdentityConfig(endpoints, kind, named.tenant_id, named.client_id, named.client_secret_env)


class _Account(StrictModel):
    storage: _Storage


class KeyModel(StrictModel):
    """A key of the key ring file."""

    account: Text
    role: Literal["master", "query"] = "master"
    expires: AwareDatetime | None = None
    data_sources: tuple[Text, ...] | None = None
    name: Annotated[str, AfterValidator(_key_name)] | None = None
    # Whether the key's reads may be sent on to another endpoint for comparison; nothing sends any yet.
    shadow: StrictBool = False


class KeyRingModel(StrictModel):
    """The key ring file."""

    accounts: dict[str, _Account] = Field(min_length=1)
    keys: dict[str, KeyModel]


_MEMBERS = [name for model in (KeyRingModel, _Account, _Storage, _Credential, KeyModel) for name in model.model_fields]


def load_keyring(settings: Settings) -> KeyRing:
    """The key ring that the settings name.

    Raises:
        SettingsError: it can't be read, or something in it is wrong.
    """
    if settings.keyring is not None:
        name, text = variable("keyring"), settings.keyring.get_secret_value()
    else:
        name, text = variable("keyring_file"), read_keyring(settings.keyring_file or Path())
    try:
        return parse_keyring(text)
    except SettingsError as error:
        raise SettingsError(f"{name}: key ring: {error}") from None


def parse_keyring(text: str) -> KeyRing:
    """Reads the JSON of a key ring.

    Raises:
        SettingsError: something in it is wrong.
    """
    try:
        members = json.loads(text, object_pairs_hook=_without_repeats)
    except RecursionError:
        raise SettingsError("not a key ring") from None
    except ValueError as error:  # its text says where and what was expected, nothing of what is there
        raise SettingsError(f"not JSON: {error}") from None
    try:
        ring = KeyRingModel.model_validate(members)
    except ValidationError as error:
        raise SettingsError(_mistake(error.errors(include_url=False)[0])) from None
    for name in ring.accounts:
        # It is a partition of tables, where those with ~ are the program's own, and a segment of blobs' paths.
        if not name or not is_key(name) or "~" in name or BlobPath.parse(f"uploads/{name}/upload") is None:
            raise SettingsError(
                f"account {name[:50]!r}: a name can't be empty, longer than 512 characters, . or .., or hold"
                " / \\ # ? ~ or controls; rename the account"
            )
    entries = {name: account.storage.entry() for name, account in ring.accounts.items()}
    return KeyRing(entries, _grants(ring), fingerprint_of(text))


def fingerprint_of(text: str) -> bytes:
    """What tells one text of a key ring from another."""
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


def _grants(ring: KeyRingModel) -> dict[bytes, KeyGrant]:
    grants: dict[bytes, KeyGrant] = {}
    for written, key in ring.keys.items():
        digest = written_digest(written)
        if not written or (written.startswith(DIGEST_PREFIX) and not _DIGEST.fullmatch(written)):
            raise SettingsError(f"{_named(written)}: a digest is sha256: and 64 lowercase hex digits")
        if digest in grants:
            raise SettingsError(f"{_named(written)}: the key is there twice")
        if key.account not in ring.accounts:
            raise SettingsError(f"{_named(written)}: there is no account {key.account!r}")
        patterns = None if key.data_sources is None else tuple(pattern_of(text) for text in key.data_sources)
        grants[digest] = KeyGrant(key.account, Role(key.role), key.expires, patterns, key.name)
    _judge_names(ring, grants)
    return grants


def _judge_names(ring: KeyRingModel, grants: Mapping[bytes, KeyGrant]) -> None:
    """Each name belongs to one key, in any letter case, and is no key itself: names appear in the log."""
    seen: dict[str, str] = {}
    for written, key in ring.keys.items():
        if key.name is None:
            continue
        if digest_of(key.name.encode()) in grants:
            raise SettingsError(f"{_named(written)}: its name is a key of the ring, and would be shown")
        if (first := seen.setdefault(key.name.lower(), written)) != written:
            raise SettingsError(f"{_named(written)}: {_named(first)} has the same name")


def written_digest(written: str) -> bytes:
    """The digest of a key as a ring has it: written as a digest, or in the clear."""
    if _DIGEST.fullmatch(written):
        return bytes.fromhex(written.removeprefix(DIGEST_PREFIX))
    return digest_of(written.encode("utf-8", "surrogatepass"))


def _named(written: str) -> str:
    """How a mistake names a key: by the first characters of its digest, never by itself."""
    return f"key {DIGEST_PREFIX}{written_digest(written).hex()[:12]}"


def _mistake(error: Any) -> str:  # noqa: ANN401 - pydantic's own shape
    location = [str(part) for part in error["loc"]]
    if location[:1] == ["keys"] and len(location) > 1:
        location[:2] = [_named(location[1])]
    elif location[:1] == ["accounts"] and len(location) > 1:
        location[:2] = [f"account {location[1]!r}"]
    text = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "model_type":  # pydantic's text names our class
        text = "has to be a JSON object"
    if error["type"] == "extra_forbidden":
        # What stands in a wrong place may be a key, so only what it was meant for is told.
        meant = get_close_matches(location.pop(), _MEMBERS, n=1)
        text = "has a member that is not known here" + (f"; did you mean {meant[0]}?" if meant else "")
    return f"{' '.join(location)}: {text}" if location else text


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise SettingsError(f"{_named(repeated)}: a name is there twice in one object")
    return members


def read_keyring(path: Path) -> str:
    """The text of a key ring file. A pipe in its place does not hang.

    Raises:
        SettingsError: it can't be read.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with open(handle, encoding="utf-8-sig") as file:  # noqa: PTH123 - a handle has no path
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise SettingsError(f"{variable('keyring_file')}: key ring: can't be read: it is no regular file")
            return file.read()
    except OSError as error:
        raise SettingsError(f"{variable('keyring_file')}: key ring: can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{variable('keyring_file')}: key ring: is not UTF-8") from None
