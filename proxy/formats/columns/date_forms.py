"""Parses dates in the forms that spreadsheets, databases and .NET write.

Read are ISO 8601 with or without time, seconds, fraction and zone, with a blank for its T, and .NET's invariant and US
form: the month first, 24 hours or AM and PM. A date without a zone is in UTC.
"""

import re
from datetime import date

from adapters.model.ticks import FIRST, LAST, PER_SECOND
from proxy.formats.limits import LONGEST_DATE

_CLOCK = r"(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]++))?)?"
_ZONE = r"(?P<sign>[+-])(?P<zone_hour>[0-9]{2})(?::?(?P<zone_minute>[0-9]{2}))?"
_ISO = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
    rf"(?:[Tt\s](?P<hour>[0-9]{{2}}):{_CLOCK}\s?(?:[Zz]|{_ZONE})?|[Zz]|(?P<day_zone>[+-][0-9]{{2}}:[0-9]{{2}}))?"
)
# Newer releases of .NET write a narrow blank before AM and PM.
_NET = re.compile(
    r"(?P<month>[0-9]{1,2})/(?P<day>[0-9]{1,2})/(?P<year>[0-9]{4})"
    rf"(?:\s{{1,2}}(?P<hour>[0-9]{{1,2}}):{_CLOCK}(?:\s?(?P<half>[AaPp])[Mm])?\s?(?:[Zz]|{_ZONE})?)?"
)


def read_date(text: str) -> int:
    """The ticks of one date.

    Raises:
        ValueError: it is none.
    """
    match = None if len(text) > LONGEST_DATE else _ISO.fullmatch(text) or _NET.fullmatch(text)
    if match is None:
        raise ValueError("no date")
    found = {name: value for name, value in match.groupdict().items() if value is not None}
    hour, minute, second = (int(found.get(name, 0)) for name in ("hour", "minute", "second"))
    if "half" in found:
        if not 1 <= hour <= 12:  # noqa: PLR2004  a clock
            raise ValueError("no hour")
        hour = hour % 12 + 12 * (found["half"] in "Pp")
    shift = _zone_seconds(found)
    if hour > 23 or minute > 59 or second > 59:  # noqa: PLR2004  a clock
        raise ValueError("no time")
    day = date(int(found["year"]), int(found["month"]), int(found["day"])).toordinal() - 1
    fraction = int(found.get("fraction", "")[:7].ljust(7, "0"))
    ticks = (day * 86_400 + hour * 3600 + minute * 60 + second - shift) * PER_SECOND + fraction
    if not FIRST <= ticks <= LAST:
        raise ValueError("not in the years 1 to 9999")
    return ticks


def _zone_seconds(found: dict[str, str]) -> int:
    day_zone = found.get("day_zone", "")
    sign, hours, minutes = (
        (day_zone[0], day_zone[1:3], day_zone[4:])
        if day_zone
        else (found.get("sign", "+"), found.get("zone_hour", "0"), found.get("zone_minute", "0"))
    )
    if int(hours) > 23 or int(minutes) > 59:  # noqa: PLR2004  a clock
        raise ValueError("no zone")
    return (int(hours) * 3600 + int(minutes) * 60) * (-1 if sign == "-" else 1)


def meant_by_date(text: str) -> str | None:
    """What to write instead of a date with the day first; None where that is not clear."""
    match = None if len(text) > LONGEST_DATE else _NET.fullmatch(text)
    if match is None:
        return None
    first, second, year = int(match["month"]), int(match["day"]), match["year"]
    if not first > 12 >= second:  # noqa: PLR2004  a calendar
        return None
    return f"the month comes first: write {second}/{first}/{year} or {year}-{second:02}-{first:02}"
