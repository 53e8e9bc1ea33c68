"""Formats and parses the dates of both formats (wire-contract.md, section 3)."""

from datetime import UTC, datetime, timedelta, tzinfo

from adapters.model.ticks import FIRST, LAST, PER_SECOND, Ticks, from_datetime, to_datetime

# In English, whatever the locale. email.utils takes ten times as long.
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def format_rfc1123(moment: Ticks) -> str:
    """A date in JSON, whole seconds: `Thu, 03 Jan 2013 23:22:15 GMT`."""
    at = to_datetime(_calendar(moment))
    day = f"{_DAYS[at.weekday()]}, {at.day:02d} {_MONTHS[at.month - 1]} {at.year:04d}"
    return f"{day} {at.hour:02d}:{at.minute:02d}:{at.second:02d} GMT"


def format_iso8601(moment: Ticks, zone: tzinfo) -> str:
    """A date in XML: `2013-01-03T15:22:15.7979398-08:00`, all ticks, trailing zeros trimmed, the zone's offset."""
    moment = _calendar(moment)
    offset = _offset(to_datetime(moment), zone)
    local = Ticks(moment + offset * 60 * PER_SECOND)
    try:
        whole = to_datetime(local)
    except OverflowError:  # the zone leads out of the calendar
        offset, local, whole = 0, moment, to_datetime(moment)
    ticks = local % PER_SECOND
    fraction = f".{ticks:07d}".rstrip("0") if ticks else ""
    hours, minutes = divmod(abs(offset), 60)
    text = whole.replace(tzinfo=None, microsecond=0).isoformat()
    return f"{text}{fraction}{'-' if offset < 0 else '+'}{hours:02d}:{minutes:02d}"


def format_utc_seconds(moment: Ticks) -> str:
    """A date in a service document, whole seconds: `2013-02-25T19:44:10Z`."""
    whole = to_datetime(_calendar(moment))
    return f"{whole.year:04d}-{whole:%m-%dT%H:%M:%S}Z"


def parse_rfc1123(text: str) -> Ticks:
    """Parses a date of a JSON response. It ignores the weekday, which the documents print wrong.

    Raises:
        ValueError: the text is no such date.
    """
    # Not by email.utils, which moves years below 100 into 1969 to 2068: .NET writes year 1 for no date.
    day_and_time = text.rpartition(",")[2].strip()
    return from_datetime(datetime.strptime(day_and_time, "%d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC))


def _offset(moment: datetime, zone: tzinfo) -> int:
    """The zone's offset at an instant in whole minutes. Old local mean times have seconds too."""
    try:
        offset = moment.astimezone(zone).utcoffset()
    except OverflowError:
        offset = None
    return round((offset or timedelta()) / timedelta(minutes=1))


def _calendar(moment: Ticks) -> Ticks:
    return moment if FIRST <= moment <= LAST else min(max(moment, FIRST), LAST)
