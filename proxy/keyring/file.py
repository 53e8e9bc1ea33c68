"""Parses a key ring. An error is one line that names the account or the key's digest, never the key."""

import json
import os
import re
import stat
from collections.abc import Mapping
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from adapters.model.jobs import BlobPath
from adapters.tables.row_keys import is_valid_key
from proxy.keyring.keyring import DIGEST_PREFIX, KeyGrant, KeyRing, Role, hash_key
from proxy.keyring.models import AccountModel, CredentialModel, KeyModel, KeyRingModel, MapsModel, StorageModel
from proxy.keyring.patterns import compile_pattern
from proxy.settings import Settings, SettingsError, variable_name

_DIGEST = re.compile(DIGEST_PREFIX + "[0-9a-f]{64}")
_MODELS = (KeyRingModel, AccountModel, StorageModel, CredentialModel, MapsModel, KeyModel)
_MEMBERS = [name for model in _MODELS for name in model.model_fields]


def load_keyring(settings: Settings) -> KeyRing:
    """The key ring that the settings name.

    Raises:
        SettingsError: it can't be read, or something in it is wrong.
    """
    if settings.keyring is not None:
        name, text = variable_name("keyring"), settings.keyring.get_secret_value()
    else:
        name, text = variable_name("keyring_file"), read_keyring(settings.keyring_file or Path())
    try:
        return parse_keyring(text)
    except SettingsError as error:
        raise SettingsError(f"{name}: key ring: {error}") from None


def read_keyring(path: Path) -> str:
    """The text of a key ring file. A pipe in its place does not hang.

    Raises:
        SettingsError: it can't be read.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with open(handle, encoding="utf-8-sig") as file:  # noqa: PTH123 - a handle has no path
            if stat.S_ISREG(os.fstat(handle).st_mode):
                return file.read()
            reason = "can't be read: it is no regular file"
    except OSError as error:
        reason = f"can't be read: {error.strerror}"
    except UnicodeDecodeError:
        reason = "is not UTF-8"
    raise SettingsError(f"{variable_name('keyring_file')}: key ring: {reason}")


def parse_keyring(text: str, *, importing: bool = False) -> KeyRing:
    """Parses the JSON of a key ring.

    Args:
        text: the JSON.
        importing: whether the ring may have both `keys` and `key_store`, because its keys are being imported.

    Raises:
        SettingsError: something in it is wrong.
    """
    try:
        ring = KeyRingModel.model_validate(load_members(text))
    except ValidationError as error:
        raise SettingsError(_describe(error.errors(include_url=False)[0])) from None
    for name in ring.accounts:
        # It is a partition of tables, where those with ~ are the program's own, and a segment of blobs' paths.
        if not name or not is_valid_key(name) or "~" in name or BlobPath.parse(f"uploads/{name}/upload") is None:
            raise SettingsError(
                f"account {name[:50]!r}: a name can't be empty, longer than 512 characters, . or .., or hold"
                " / \\ # ? ~ or controls; rename the account"
            )
    _check_key_holder(ring, importing=importing)
    entries = {name: account.storage.build_entry() for name, account in ring.accounts.items()}
    key_store = None if ring.key_store is None else ring.key_store.build_entry()
    maps = {name: account.maps.build_entry() for name, account in ring.accounts.items() if account.maps is not None}
    return KeyRing(entries, _build_grants(ring), compute_fingerprint(text), key_store, maps)


def load_members(text: str) -> object:
    """The JSON of a key ring, not checked any further.

    Raises:
        SettingsError: it is no JSON, or a name is there twice in one object.
    """
    try:
        return json.loads(text, object_pairs_hook=_refuse_repeats)
    except RecursionError:
        raise SettingsError("not a key ring") from None
    except ValueError as error:  # its text says where and what was expected, nothing of what is there
        raise SettingsError(f"not JSON: {error}") from None


def compute_fingerprint(text: str) -> bytes:
    """Tells one text of a key ring from another."""
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


def parse_key(written: str) -> bytes:
    """The digest of a key as a ring has it: written as a digest, or in the clear."""
    if _DIGEST.fullmatch(written):
        return bytes.fromhex(written.removeprefix(DIGEST_PREFIX))
    return hash_key(written.encode("utf-8", "surrogatepass"))


def _check_key_holder(ring: KeyRingModel, *, importing: bool) -> None:
    """One place holds the keys: a key revoked in the store must not live on in a file (keys contract, section 1)."""
    if ring.keys is None and ring.key_store is None:
        raise SettingsError("keys: is missing; a ring has keys, or a key_store that names the storage of its keys")
    if ring.keys is not None and ring.key_store is not None and not importing:
        raise SettingsError(
            f"it has a key_store and {len(ring.keys)} keys of its own; `keys import --from-ring` writes them to the"
            " store, then take keys out of the ring"
        )


def _build_grants(ring: KeyRingModel) -> dict[bytes, KeyGrant]:
    grants: dict[bytes, KeyGrant] = {}
    for written, key in (ring.keys or {}).items():
        digest = parse_key(written)
        if not written or (written.startswith(DIGEST_PREFIX) and not _DIGEST.fullmatch(written)):
            raise SettingsError(f"{_label(written)}: a digest is sha256: and 64 lowercase hex digits")
        if digest in grants:
            raise SettingsError(f"{_label(written)}: the key is there twice")
        if key.account not in ring.accounts:
            is_swapped = written in ring.accounts  # then a key stands in the account's place
            problem = "its account and its key are swapped" if is_swapped else f"there is no account {key.account!r}"
            raise SettingsError(f"{_label(written)}: {problem}")
        patterns = None if key.data_sources is None else tuple(map(compile_pattern, key.data_sources))
        grants[digest] = KeyGrant(key.account, Role(key.role), key.expires, patterns, key.name, key.shadow)
    _check_names(ring, grants)
    return grants


def _check_names(ring: KeyRingModel, grants: Mapping[bytes, KeyGrant]) -> None:
    """Each name belongs to one key, in any letter case, and is no key itself: names appear in the log."""
    owners: dict[str, str] = {}
    for written, key in (ring.keys or {}).items():
        if key.name is None:
            continue
        if hash_key(key.name.encode()) in grants:
            raise SettingsError(f"{_label(written)}: its name is a key of the ring, and would be shown")
        if (first := owners.setdefault(key.name.lower(), written)) != written:
            raise SettingsError(f"{_label(written)}: {_label(first)} has the same name")


def _label(written: str) -> str:
    """How a message names a key: by the first characters of its digest, never by itself."""
    return f"key {DIGEST_PREFIX}{parse_key(written).hex()[:12]}"


def _describe(error: ErrorDetails) -> str:
    location = [str(part) for part in error["loc"]]
    if location[:1] == ["keys"] and len(location) > 1:
        location[:2] = [_label(location[1])]
    elif location[:1] == ["accounts"] and len(location) > 1:
        location[:2] = [f"account {location[1]!r}"]
    text = error["msg"].removeprefix("Value error, ")
    if error["type"] == "model_type":  # pydantic's text names our class
        text = "has to be a JSON object"
    if error["type"] == "extra_forbidden":
        # An unknown member may be a key, so the message has only the member that it resembles.
        meant = get_close_matches(location.pop(), _MEMBERS, n=1)
        text = "has a member that is not known here" + (f"; did you mean {meant[0]}?" if meant else "")
    return f"{' '.join(location)}: {text}" if location else text


def _refuse_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if len(members := dict(pairs)) != len(pairs):
        repeated = next(name for name in names if names.count(name) > 1)
        raise SettingsError(f"{_label(repeated)}: a name is there twice in one object")
    return members
