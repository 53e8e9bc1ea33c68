"""Checks a new key as an operator asks for it, and makes its record."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pydantic import ValidationError

from adapters.model.key_records import KeyRecord
from adapters.model.ticks import from_datetime
from proxy.keyring.keyring import DIGEST_PREFIX, hash_key
from proxy.keyring.models import KeyModel
from proxy.operations.keys.errors import NewKeyError
from proxy.operations.keys.members import record_of
from proxy.operations.keys.misplaced_key import find_misplaced_key
from proxy.operations.keys.patterns import check_patterns

# The length of Bing's keys, in characters that need no encoding in a URL.
NEW_KEY_BYTES = 48

SHOWN_TIME = 60
SHOWN_ACCOUNTS = 10


@dataclass(frozen=True, slots=True)
class NewKey:
    """What a new key is to open. Each member is as an operator writes it; None where it is not given."""

    account: str
    role: str = "master"
    name: str | None = None
    expires: str | None = None
    data_sources: tuple[str, ...] | None = None
    shadow: bool = False


def generate_key() -> str:
    """A new key."""
    return secrets.token_urlsafe(NEW_KEY_BYTES)


def check_new_key(new: NewKey, accounts: Collection[str] | None) -> KeyModel:
    """Checks all but the key itself.

    Args:
        new: what the key is to open.
        accounts: the accounts of the ring; None where the key makes the first ring.

    Raises:
        NewKeyError: a member is wrong.
    """
    _check_expiry(new.expires)
    if accounts is not None and new.account not in accounts:
        names = ", ".join(sorted(accounts)[:SHOWN_ACCOUNTS])
        raise NewKeyError("account", f"there is no account {new.account[:50]!r} in the key ring; it has {names}")
    if new.data_sources == ():
        raise NewKeyError("data_sources", "names no pattern; without this option the key opens all data sources")
    given = {
        "account": new.account,
        "role": new.role,
        "name": new.name,
        "expires": new.expires,
        "data_sources": new.data_sources,
        "shadow": new.shadow or None,
    }
    try:
        model = KeyModel.model_validate({name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise NewKeyError(str(first["loc"][0]), first["msg"].removeprefix("Value error, ")) from None
    if mistake := check_patterns(model.data_sources):
        raise NewKeyError("data_sources", mistake)
    return model


def make_record(key: str, model: KeyModel) -> KeyRecord:
    """The record of a new key.

    Raises:
        NewKeyError: the key can't be used, or a member is the key itself or looks like one, and would be shown.
    """
    if problem := check_key(key):
        raise NewKeyError("key", problem)
    if model.name == key:
        raise NewKeyError("name", "is the key itself, and would be shown")
    digest = f"{DIGEST_PREFIX}{hash_key(key.encode()).hex()}"
    record = replace(record_of(digest, model), created=from_datetime(datetime.now(UTC)))
    if member := find_misplaced_key(record):
        raise NewKeyError(member, "looks like a key, and would be shown")
    return record


def check_key(key: str) -> str:
    """The key itself; what is wrong with it, empty for nothing."""
    if not key:
        return "there is no key"
    if not key.isprintable():  # a byte order mark before it, for instance
        return "it has characters that can't be printed; pass the key alone, as UTF-8"
    return ""


def _check_expiry(text: str | None) -> None:
    if text is None:
        return
    shown_time = repr(text[:SHOWN_TIME])
    try:
        end = datetime.fromisoformat(text)
    except ValueError:
        raise NewKeyError("expires", f"{shown_time} is no time; write it like 2030-01-01T00:00:00Z") from None
    if end.tzinfo is None:
        raise NewKeyError("expires", f"{shown_time} has no time zone; write it like 2030-01-01T00:00:00Z")
    now = datetime.now(UTC)
    if end <= now:
        raise NewKeyError("expires", f"{shown_time} is in the past; it is {now.isoformat(timespec='seconds')} now")
