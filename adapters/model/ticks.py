"""Instants in 100 ns ticks, the precision of an Edm.DateTime in Table Storage.

Python's datetime has microseconds only, so a date that went through one would lose its seventh digit.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import NewType

Ticks = NewType("Ticks", int)
"""100 ns steps since 0001-01-01T00:00:00Z."""

PER_SECOND = 10_000_000
PER_MILLISECOND = 10_000
PER_MICROSECOND = 10
UNIX_EPOCH = Ticks(621_355_968_000_000_000)

_START = datetime(1, 1, 1, tzinfo=UTC)
_ISO = re.compile(
    r"(?P<seconds>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,7})\d*)?(?P<zone>Z|[+-]\d\d:\d\d)?",
    re.ASCII,
)


def from_datetime(moment: datetime) -> Ticks:
    """The ticks of an aware datetime."""
    since = moment - _START
    return Ticks((since.days * 86_400 + since.seconds) * PER_SECOND + since.microseconds * PER_MICROSECOND)


# The first and the last tick of .NET's calendar; a datetime ends nine ticks earlier.
FIRST = Ticks(0)
LAST = Ticks(from_datetime(datetime.max.replace(tzinfo=UTC)) + PER_MICROSECOND - 1)


def to_datetime(ticks: Ticks) -> datetime:
    """The UTC datetime of these ticks, without the seventh fraction digit.

    Raises:
        OverflowError: the instant is outside the years 1 to 9999.
    """
    return _START + timedelta(microseconds=ticks // PER_MICROSECOND)


def parse_ticks(text: str) -> Ticks:
    """Parses an ISO 8601 date and time as Table Storage and Bing's XML write it; without a zone it is UTC.

    Raises:
        ValueError: the text is no such date.
    """
    match = _ISO.fullmatch(text)
    if match is None:
        raise ValueError("not a date like 2013-01-03T23:22:15.7979398Z")
    seconds, fraction, zone = match.groups()
    # By arithmetic, since an aware datetime takes as long as all the rest.
    at = datetime.fromisoformat(seconds)
    whole = (at.toordinal() - 1) * 86_400 + at.hour * 3600 + at.minute * 60 + at.second
    if zone is not None and zone != "Z":
        offset = datetime.fromisoformat(f"2000-01-01T00:00:00{zone}").utcoffset() or timedelta()
        whole -= offset.days * 86_400 + offset.seconds
    ticks = Ticks(whole * PER_SECOND + int((fraction or "").ljust(7, "0")))
    if not FIRST <= ticks <= LAST:  # the offset leaves the calendar
        raise ValueError("not a date in the years 1 to 9999")
    return ticks


def format_ticks(ticks: Ticks) -> str:
    """The Edm.DateTime text of these ticks, with all seven fraction digits."""
    seconds, fraction = divmod(ticks, PER_SECOND)
    return f"{to_datetime(Ticks(seconds * PER_SECOND)):%Y-%m-%dT%H:%M:%S}.{fraction:07d}Z".rjust(28, "0")
