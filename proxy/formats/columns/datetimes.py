"""Columns of dates: ISO 8601 texts to 100 ns ticks and back, a whole column at a time.

Arrow's own timestamps can't do this: in nanoseconds they end in 2262, in microseconds they lose the seventh digit.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from adapters.model.ticks import FIRST, LAST, PER_SECOND
from proxy.formats.columns.buffers import Bytes, Numbers, all_bytes, offsets

_SECONDS_A_DAY = 86_400
_DAY_TICKS = _SECONDS_A_DAY * PER_SECOND
_PATTERN = np.frombuffer(b"0000-00-00T00:00:00", np.uint8)
_DIGITS = _PATTERN == ord("0")  # noqa: SIM300  no constant on the left
_FIRST_DAY = np.datetime64("0001-01-01", "D")
_WIDTH = len("2013-01-03T23:22:15.7979398Z")
_NET = (  # by RE2, in linear time
    r"^(?P<month>[0-9]{1,2})/(?P<day>[0-9]{1,2})/(?P<year>[0-9]{4})"
    r"(?: (?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?(?: (?P<half>[AP])M)?)?$"
)
_DAY_WIDTH = len("2013-01-03")
_MIDNIGHT = np.frombuffer(b"T00:00:00", np.uint8)


def to_ticks(column: pa.Array) -> pa.Array | None:
    """The ticks of a `string` column; None if any text has to be looked at alone."""
    ticks = _iso_ticks(column)
    if ticks is None and (iso := _as_iso(column)) is not None:
        ticks = _iso_ticks(iso)
    return ticks


def _as_iso(column: pa.Array) -> pa.Array | None:
    """Dates that are all in .NET's usual form, in that of ISO 8601; None if any is not."""
    parts = pc.extract_regex(column, _NET)
    if parts.null_count > column.null_count:
        return None
    month, day, year, hour, minute, second, half = parts.flatten()
    clock = pc.cast(_two_digits(hour), pa.int64())
    halved = pc.not_equal(half, "")
    if pc.any(pc.and_(halved, pc.or_(pc.less(clock, 1), pc.greater(clock, 12)))).as_py():
        return None
    full = np.asarray(clock.fill_null(0)) % 12 + 12 * np.asarray(pc.equal(half, "P").fill_null(fill_value=False))
    hour = pc.if_else(halved, pc.cast(pa.array(full), pa.string()), hour)
    date = pc.binary_join_element_wise(year, _two_digits(month), _two_digits(day), "-")
    time = pc.binary_join_element_wise(_two_digits(hour), _two_digits(minute), _two_digits(second), ":")
    return pc.binary_join_element_wise(date, time, "T")


def _two_digits(column: pa.Array) -> pa.Array:
    return pc.utf8_lpad(column, 2, "0")


def _iso_ticks(column: pa.Array) -> pa.Array | None:
    bounds, data = offsets(column).astype(np.int64), all_bytes(column)
    starts, lengths = bounds[:-1] - bounds[0], np.diff(bounds)
    ticks = np.zeros(len(column), np.int64)
    present = np.asarray(column.is_valid().to_numpy(zero_copy_only=False), bool)
    for length in np.unique(lengths[present]):
        if not (length == _DAY_WIDTH or len(_PATTERN) <= length <= _WIDTH + len("+00:00")):
            return None
        rows = np.flatnonzero(present & (lengths == length))
        texts = data[starts[rows][:, None] + np.arange(length)]
        if length == _DAY_WIDTH:
            texts = np.hstack([texts, np.tile(_MIDNIGHT, (len(texts), 1))])
        for shape, chosen in _zones(texts):
            some = _read(texts[chosen], shape)
            if some is None:
                return None
            ticks[rows[chosen]] = some
    return pa.array(ticks, pa.int64(), mask=~present)


def _zones(texts: Bytes) -> list[tuple[int, npt.NDArray[np.intp]]]:
    """Texts of one length, apart by how many characters their zone has: none, `Z`, `+00:00`."""
    last = texts[:, -1] == ord("Z")
    sign = texts[:, -6]
    offset = ((sign == ord("+")) | (sign == ord("-"))) & ~last & (texts.shape[1] > len(_PATTERN))
    groups = [(0, ~last & ~offset), (1, last), (6, offset)]
    return [(length, np.flatnonzero(chosen)) for length, chosen in groups if chosen.any()]


def _read(texts: Bytes, zone: int) -> Numbers | None:
    """The ticks of texts of one form, or None if one of them is no date."""
    head = texts[:, : len(_PATTERN)]
    digits = head[:, _DIGITS] - ord("0")  # what is below "0" becomes large
    marks = head[:, ~_DIGITS]
    marks[marks[:, 2] == ord(" "), 2] = ord("T")  # marks is a copy
    if not (digits <= 9).all() or not (marks == _PATTERN[~_DIGITS]).all():  # noqa: PLR2004  digits
        return None
    fraction = texts[:, len(_PATTERN) : texts.shape[1] - zone]
    ticks = _fraction(fraction)
    day = _days(digits)
    shift = _offset(texts[:, -zone:]) if zone > 1 else np.zeros(len(texts), np.int64)
    if ticks is None or day is None or shift is None:
        return None
    clock = digits.astype(np.int64)
    hour, minute, second = (clock[:, at] * 10 + clock[:, at + 1] for at in (8, 10, 12))
    if (hour > 23).any() or (minute > 59).any() or (second > 59).any():  # noqa: PLR2004  a clock
        return None
    ticks += (day * _SECONDS_A_DAY + hour * 3600 + minute * 60 + second - shift) * PER_SECOND
    return ticks if (ticks >= FIRST).all() and (ticks <= LAST).all() else None


def _fraction(texts: Bytes) -> Numbers | None:
    """The ticks of `.7979398`, of any number of digits up to seven, or of nothing."""
    ticks = np.zeros(len(texts), np.int64)
    if not texts.shape[1]:
        return ticks
    digits = texts[:, 1:] - ord("0")
    if not 1 <= digits.shape[1] <= 7 or not (texts[:, 0] == ord(".")).all() or not (digits <= 9).all():  # noqa: PLR2004
        return None
    for place in range(7):
        ticks = ticks * 10 + (digits[:, place] if place < digits.shape[1] else 0)
    return ticks


def _days(digits: Bytes) -> Numbers | None:
    """Days since the calendar's first one, from the digits of year, month and day."""
    number = digits.astype(np.int64)
    year = number[:, 0] * 1000 + number[:, 1] * 100 + number[:, 2] * 10 + number[:, 3]
    month, day = number[:, 4] * 10 + number[:, 5], number[:, 6] * 10 + number[:, 7]
    if (year < 1).any() or (month < 1).any() or (month > 12).any() or (day < 1).any():  # noqa: PLR2004  a calendar
        return None
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    first, following = months.astype("datetime64[D]"), (months + 1).astype("datetime64[D]")
    if (day > (following - first).astype(np.int64)).any():
        return None
    days: Numbers = (first - _FIRST_DAY).astype(np.int64) + day - 1
    return days


def _offset(texts: Bytes) -> Numbers | None:
    """Seconds of `+01:30`."""
    digits = texts[:, [1, 2, 4, 5]] - ord("0")
    if not (digits <= 9).all() or not (texts[:, 3] == ord(":")).all():  # noqa: PLR2004  digits
        return None
    number = digits.astype(np.int64)
    hours, minutes = number[:, 0] * 10 + number[:, 1], number[:, 2] * 10 + number[:, 3]
    if (hours > 23).any() or (minutes > 59).any():  # noqa: PLR2004  a clock
        return None
    seconds: Numbers = (hours * 3600 + minutes * 60) * np.where(texts[:, 0] == ord("-"), -1, 1)
    return seconds


def to_texts(column: pa.Array) -> pa.Array:
    """The texts of a column of ticks: `2013-01-03T23:22:15.7979398Z`, always all seven digits."""
    ticks = np.asarray(column.fill_null(0).to_numpy(zero_copy_only=False), np.int64)
    days, clock = np.divmod(ticks, _DAY_TICKS)
    months = (_FIRST_DAY + days).astype("datetime64[M]")
    day = (_FIRST_DAY + days - months.astype("datetime64[D]")).astype(np.int64) + 1
    year, month = np.divmod(months.astype(np.int64) + 1970 * 12, 12)
    seconds, fraction = np.divmod(clock, PER_SECOND)
    parts = [
        (0, 4, year),
        (5, 2, month + 1),
        (8, 2, day),
        (11, 2, seconds // 3600),
        (14, 2, seconds // 60 % 60),
        (17, 2, seconds % 60),
        (20, 7, fraction),
    ]
    texts = np.tile(np.frombuffer(b"0000-00-00T00:00:00.0000000Z", np.uint8), (len(ticks), 1))
    for start, width, numbers in parts:
        rest = numbers
        for place in range(start + width - 1, start - 1, -1):
            rest, digit = np.divmod(rest, 10)
            texts[:, place] = digit + ord("0")
    bounds = np.arange(len(ticks) + 1, dtype=np.int32) * _WIDTH
    plain = pa.StringArray.from_buffers(len(ticks), pa.py_buffer(bounds), pa.py_buffer(texts.tobytes()))
    return plain if not column.null_count else pc.if_else(column.is_valid(), plain, pa.scalar(None, pa.string()))
