"""How near the end of a key is, as the alerts `KeyEndsSoon` and `KeyExpiryImminent` have it."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

from adapters.model.key_records import KeyRecord
from adapters.model.ticks import to_datetime

SOON = timedelta(days=30)
IMMINENT = timedelta(days=7)
LATELY = timedelta(days=7)
"""A key that ended is shown as long: the program that still uses it stands still."""


class KeyEnd(StrEnum):
    """How near the end of a key is."""

    FAR = "far"
    SOON = "soon"
    IMMINENT = "imminent"
    PAST = "past"


def judge_end(record: KeyRecord, now: datetime | None = None) -> KeyEnd:
    """How near the end of a key is; `FAR` where it has none."""
    if record.expires is None:
        return KeyEnd.FAR
    left = to_datetime(record.expires) - (now or datetime.now(UTC))
    if left <= timedelta():
        return KeyEnd.PAST
    if left < IMMINENT:
        return KeyEnd.IMMINENT
    return KeyEnd.SOON if left < SOON else KeyEnd.FAR
