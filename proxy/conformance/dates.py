"""Dates as the two formats write them, read without losing a digit."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

DOCUMENTED_ZONE = ZoneInfo("America/Los_Angeles")

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_RFC1123 = re.compile(r"([A-Z][a-z]{2}), (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT", re.ASCII)
_ISO8601 = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{0,6}[1-9]))?([+-]\d\d:\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class XmlDateTime:
    """A date: its whole second in UTC, the digits of its fraction, and the offset that it was written with."""

    second: datetime
    fraction: str
    offset: timedelta

    @property
    def order(self) -> tuple[datetime, str]:
        """What two moments are compared by."""
        return self.second, self.fraction.ljust(7, "0")


def read_json_date(text: str | None) -> datetime | None:
    """A date of JSON, `Thu, 03 Jan 2013 23:22:15 GMT`; None where it has another form, or the wrong weekday."""
    found = _RFC1123.fullmatch(text or "")
    if found is None or found[3] not in _MONTHS:
        return None
    day, hour, minute, second = (int(found[each]) for each in (2, 5, 6, 7))
    try:
        moment = datetime(int(found[4]), _MONTHS.index(found[3]) + 1, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return moment if _DAYS[moment.weekday()] == found[1] else None


def read_xml_date(text: str | None) -> XmlDateTime | None:
    """A date of XML, `2013-01-03T15:22:15.7979398-08:00`; None where it has another form."""
    found = _ISO8601.fullmatch(text or "")
    if found is None:
        return None
    try:
        local = datetime.fromisoformat(found[1] + found[3])
        return XmlDateTime(local.astimezone(UTC), found[2] or "", local.utcoffset() or timedelta())
    except (ValueError, OverflowError):
        return None


def documented_offset(moment: datetime) -> timedelta:
    """The offset that the documents' zone has at a moment."""
    return moment.astimezone(DOCUMENTED_ZONE).utcoffset() or timedelta()
