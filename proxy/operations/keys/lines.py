"""A key as a line of text."""

from datetime import UTC, datetime

from adapters.model.key_records import FoundKey, KeyRecord
from adapters.model.ticks import Ticks, to_datetime
from proxy.operations.keys.members import shown_digest
from proxy.text import single_line

# Hex digits of a digest that are shown. Other commands find a key by any beginning that is unique.
SHOWN_DIGITS = 12


def shown(digest: str) -> str:
    """The beginning of a digest."""
    return single_line(shown_digest(digest, SHOWN_DIGITS))


def has_expired(record: KeyRecord) -> bool:
    """Whether a key has expired."""
    return record.expires is not None and to_datetime(record.expires) <= datetime.now(UTC)


def format_key(found: FoundKey) -> str:
    """Digest, name, account, role, data sources, end, creation, revocation; what is missing is left out."""
    record = found.record
    if record is None:
        parts = [shown(found.digest), f"can't be read: {found.problem}", "revoked" if found.is_revoked else ""]
    else:
        parts = [
            shown(found.digest),
            record.name or "",
            record.account,
            *describe_grant(record),
            f"created {format_time(record.created)}" if record.created else "",
            f"revoked {format_time(record.revoked)}".rstrip() if found.is_revoked else "",
            "in plain text" if found.is_in_clear else "",
        ]
    return single_line("  ".join(filter(None, parts)))


def describe_grant(record: KeyRecord) -> list[str]:
    """Role, data sources and end of a key; an empty text for each that is missing."""
    return [
        record.role,
        "no data source" if record.data_sources == () else " ".join(record.data_sources or ()),
        f"{'expired' if has_expired(record) else 'expires'} {format_time(record.expires)}" if record.expires else "",
    ]


def format_time(ticks: Ticks | None) -> str:
    """A time, empty for none."""
    # A revocation without a time that can be read is at the first tick.
    return to_datetime(ticks).isoformat(timespec="seconds") if ticks else ""
