"""Keys as the members of a ring's `keys`, and as records of the key store."""

from typing import Any

from adapters.model.key_records import KeyRecord
from adapters.model.ticks import from_datetime, parse_ticks, to_datetime
from proxy.keyring.file import parse_key
from proxy.keyring.keyring import DIGEST_PREFIX
from proxy.keyring.models import KeyModel

# The times that Table Storage has. A time zone can lead out of them, as in 9999-12-31T23:59:59-05:00 for never.
_FIRST, _LAST = parse_ticks("1601-01-01T00:00:00Z"), parse_ticks("9999-12-31T23:59:59Z")


def record_of(written: str, key: KeyModel) -> KeyRecord:
    """The record of a ring's member; `written` is the key or its digest."""
    return KeyRecord(
        digest=parse_key(written).hex(),
        account=key.account,
        role=key.role,
        name=key.name,
        data_sources=key.data_sources,
        expires=None if key.expires is None else min(max(_FIRST, from_datetime(key.expires)), _LAST),
        shadow=key.shadow,
    )


def member_of(record: KeyRecord) -> dict[str, Any]:
    """The value of a ring's member."""
    expires = None if record.expires is None else to_datetime(record.expires).isoformat().replace("+00:00", "Z")
    optional = {
        "name": record.name,
        "expires": expires,
        "data_sources": None if record.data_sources is None else list(record.data_sources),
        "shadow": record.shadow or None,
    }
    return {"account": record.account, "role": record.role} | {
        name: value for name, value in optional.items() if value is not None
    }


def shown_digest(digest: str, digits: int = 64) -> str:
    """A digest as a ring writes it, or its beginning."""
    return f"{DIGEST_PREFIX}{digest[:digits]}"
