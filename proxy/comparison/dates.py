"""Dates as the two formats write them, read without losing a digit."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

DOCUMENTED_ZONE = ZoneInfo("America/Los_Angeles")

_ISO8601 = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{0,6}[1-9]))?([+-]\d\d:\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class XmlDateTime:
    """A date of XML: its whole second in UTC, the digits of its fraction, and its written offset."""

    second: datetime
    fraction: str
    offset: timedelta

    @property
    def order(self) -> tuple[datetime, str]:
        """The sort key."""
        return self.second, self.fraction.ljust(7, "0")

    @property
    def documented_offset(self) -> timedelta:
        """The offset of the documents' time zone at this moment."""
        return self.second.astimezone(DOCUMENTED_ZONE).utcoffset() or timedelta()


@lru_cache(50_000)  # several rules read each date of a long list
def read_json_date(text: str | None) -> datetime | None:
    """Reads `Thu, 03 Jan 2013 23:22:15 GMT`; returns None for any other form and for a wrong weekday."""
    try:
        moment = parsedate_to_datetime(text or "")
        return moment if format_datetime(moment, usegmt=True) == text else None
    except ValueError:
        return None


@lru_cache(50_000)
def read_xml_date(text: str | None) -> XmlDateTime | None:
    """Reads `2013-01-03T15:22:15.7979398-08:00`; returns None for any other form."""
    found = _ISO8601.fullmatch(text or "")
    if found is None:
        return None
    try:
        local = datetime.fromisoformat(found[1] + found[3])
        return XmlDateTime(local.astimezone(UTC), found[2] or "", local.utcoffset() or timedelta())
    except (ValueError, OverflowError):
        return None
