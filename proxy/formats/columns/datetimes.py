"""Columns of dates: texts to 100 ns ticks and back, a whole column at a time.

Texts are ISO 8601 with or without time, seconds, fraction and zone, with a blank for its T, or .NET's invariant and US
form: the month first, 24 hours or AM and PM. A date without a zone is in UTC.

Arrow's own timestamps can't hold ticks: in nanoseconds they end in 2262, in microseconds they lose the seventh digit.
"""

import re

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from adapters.model.ticks import FIRST, LAST, PER_SECOND, UNIX_EPOCH
from proxy.formats.columns.buffers import Numbers, quote_value, without_empty

# RE2 matches in linear time. Its \s has only ASCII; .NET writes a narrow no-break space before AM and PM.
_BLANK = "[\\s\u00a0\u202f]"
_MINUTE = r"(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,40}))?)?"
_ZONE = r"(?P<zone>[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)"
_ISO = (
    r"^(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
    rf"(?:(?:[Tt]|{_BLANK})(?P<hour>[0-9]{{2}}):{_MINUTE}{_BLANK}?{_ZONE}?|(?P<day_zone>[Zz]|[+-][0-9]{{2}}:[0-9]{{2}}))?$"
)
_NET = (
    r"^(?P<month>[0-9]{1,2})/(?P<day>[0-9]{1,2})/(?P<year>[0-9]{4})"
    rf"(?:{_BLANK}{{1,2}}(?P<hour>[0-9]{{1,2}}):{_MINUTE}(?:{_BLANK}?(?P<half>[AaPp])[Mm])?{_BLANK}?{_ZONE}?)?$"
)
_NET_DATE = re.compile(_NET)
_FRACTION_DIGITS = 7
_MONTHS = 12
_SECONDS_A_DAY = 86_400
_DATE_FORM = "a date is like 2013-01-03T23:22:15.7979398Z, 2013-01-03 or 1/3/2013 11:22:15 PM, in the years 1 to 9999"


def convert_dates(column: pa.Array) -> tuple[pa.Array, dict[int, str]]:
    """The ticks of a `string` column, null where a text is blank or no date; and the reasons, by row."""
    texts = without_empty(pc.utf8_trim_whitespace(column))
    ticks = _parse_dates(texts)
    if ticks.null_count == texts.null_count:
        return ticks, {}
    wrong = np.flatnonzero(pc.and_(pc.is_null(ticks), pc.is_valid(texts))).tolist()
    return ticks, {row: _explain(texts[row].as_py()) for row in wrong}


def _explain(text: str) -> str:
    """The reason why a text is no date, with the form to write instead where that is clear."""
    meant = _DATE_FORM
    if match := _NET_DATE.match(text):
        month, day, year = int(match["month"]), int(match["day"]), match["year"]
        if month > _MONTHS >= day:
            meant = f"the month comes first: write {day}/{month}/{year} or {year}-{day:02}-{month:02}"
    return f"is {quote_value(text)}: {meant}"


def _parse_dates(texts: pa.Array) -> pa.Array:
    """The ticks of trimmed texts; null where a text is no date."""
    parts = pc.extract_regex(texts, _ISO)
    fields = dict(zip((field.name for field in parts.type), parts.flatten(), strict=True))
    found = parts.is_valid()
    if parts.null_count > texts.null_count:
        net = pc.extract_regex(texts, _NET)
        found = pc.or_(found, net.is_valid())
        for field, column in zip(net.type, net.flatten(), strict=True):
            fields[field.name] = pc.coalesce(fields[field.name], column) if field.name in fields else column
    year, month, day, hour, minute, second = (
        _numbers(fields[name]) for name in ("year", "month", "day", "hour", "minute", "second")
    )
    valid = np.asarray(found) & (year >= 1) & (month >= 1) & (month <= _MONTHS) & (day >= 1)
    valid &= (hour <= 23) & (minute <= 59) & (second <= 59)  # noqa: PLR2004  a clock
    if "half" in fields:
        has_half = np.asarray(pc.fill_null(pc.not_equal(fields["half"], ""), fill_value=False))
        valid &= ~has_half | ((hour >= 1) & (hour <= 12))  # noqa: PLR2004  a clock
        is_afternoon = np.asarray(pc.fill_null(pc.equal(pc.ascii_lower(fields["half"]), "p"), fill_value=False))
        hour = np.where(has_half, hour % 12 + 12 * is_afternoon, hour)
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    first, following = (some.astype("datetime64[D]").astype(np.int64) for some in (months, months + 1))
    valid &= day <= following - first
    seconds = (first + day - 1) * _SECONDS_A_DAY + hour * 3600 + minute * 60 + second
    for name in ("zone", "day_zone"):
        shift, is_zone = _zone_seconds(fields[name])
        seconds -= shift
        valid &= is_zone
    fraction = pc.ascii_rpad(pc.utf8_slice_codeunits(fields["fraction"], 0, _FRACTION_DIGITS), _FRACTION_DIGITS, "0")
    ticks = seconds * PER_SECOND + UNIX_EPOCH + _numbers(fraction)
    valid &= (ticks >= FIRST) & (ticks <= LAST)
    return pa.array(ticks, pa.int64(), mask=~valid)


def _numbers(digits: pa.Array) -> Numbers:
    """The numbers of texts of digits, 0 for an empty or missing one."""
    numbers: Numbers = np.asarray(pc.fill_null(pc.cast(pc.ascii_lpad(digits, 2, "0"), pa.int64()), 0))
    return numbers


def _zone_seconds(zones: pa.Array) -> tuple[Numbers, npt.NDArray[np.bool_]]:
    """Seconds of zones like `+01:30`, `-0800`, `+05`, `Z` or nothing; and which of them are possible."""
    if (pc.max(pc.binary_length(zones)).as_py() or 0) <= 1:
        return np.zeros(len(zones), np.int64), np.ones(len(zones), bool)
    digits = pc.replace_substring(pc.utf8_slice_codeunits(zones, 1), ":", "")
    hours, minutes = (_numbers(pc.utf8_slice_codeunits(digits, at, at + 2)) for at in (0, 2))
    is_west = np.asarray(pc.fill_null(pc.starts_with(zones, "-"), fill_value=False))
    return (hours * 3600 + minutes * 60) * np.where(is_west, -1, 1), (hours <= 23) & (minutes <= 59)  # noqa: PLR2004


def format_dates(column: pa.Array) -> pa.Array:
    """The texts of a column of ticks: `2013-01-03T23:22:15.7979398Z`, always all seven digits."""
    ticks = np.asarray(pc.fill_null(column, 0), np.int64)
    seconds, fraction = np.divmod(ticks - UNIX_EPOCH, PER_SECOND)
    clock = pc.replace_substring(pc.cast(pa.array(seconds).cast(pa.timestamp("s")), pa.string()), " ", "T")
    digits = pc.ascii_lpad(pc.cast(pa.array(fraction), pa.string()), _FRACTION_DIGITS, "0")
    texts = pc.binary_join_element_wise(clock, ".", digits, "Z", "")
    return pc.if_else(column.is_valid(), texts, pa.scalar(None, pa.string())) if column.null_count else texts
