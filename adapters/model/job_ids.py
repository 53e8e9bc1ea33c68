"""Job ids: UUIDv7 as 32 lowercase hex digits, so that rows are in the order of their creation."""

import hashlib
import re
import secrets
from collections.abc import Iterable

from adapters.model.ticks import PER_MILLISECOND, PER_SECOND, UNIX_EPOCH, Ticks

ID_LENGTH = 32

MAX_CLOCK_LEAD = 86_400 * PER_SECOND
"""Ticks by which another machine's clock may be ahead of this one's."""

_JOB_ID = re.compile(r"[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}", re.ASCII)
_HEX_DIGITS = re.compile(r"[0-9a-f]{1,32}", re.ASCII)
_HEX_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)


def new_job_id(created: Ticks) -> str:
    """A new id for a job created at this instant."""
    return _uuid7(created, secrets.randbits(62))


class IdSequence:
    """Makes ids that sort after those of all observed jobs, whatever the clocks of the machines that created them.

    A process that creates a job has just read the jobs that the new one follows.
    """

    def __init__(self) -> None:
        self._newest = UNIX_EPOCH

    def observe(self, job_ids: Iterable[str], now: Ticks) -> None:
        """Records existing jobs. Ignores ids more than a day ahead: no machine's clock made them."""
        end = first_id_at(Ticks(now + MAX_CLOCK_LEAD))
        newest = max((job_id for job_id in job_ids if job_id < end), default="")
        if newest:
            self._newest = max(self._newest, created_at(newest))

    def next(self, created: Ticks) -> str:
        """A new id for a job created at this instant."""
        self._newest = max(created, Ticks(self._newest + PER_MILLISECOND))
        return new_job_id(self._newest)


def imported_job_id(created: Ticks, account: str, legacy_id: str) -> str:
    """The id of an imported job, always the same for the same job, so that an import can be repeated."""
    digest = hashlib.sha256(f"{account}\0{legacy_id.lower()}".encode("utf-8", "surrogatepass")).digest()
    return _uuid7(created, int.from_bytes(digest[:8], "big") >> 2)


def first_id_at(moment: Ticks) -> str:
    """The lowest id of jobs created at this instant or later, with which a range of rows begins."""
    return f"{_milliseconds(moment):012x}".ljust(ID_LENGTH, "0")


def first_id_from(key: str) -> int:
    """The lowest id, as a number, that sorts at or behind a row key, which may be no id."""
    match = _HEX_DIGITS.match(key)
    digits = match[0] if match else ""
    number, rest = int(digits.ljust(ID_LENGTH, "0"), 16), key[len(digits) : len(digits) + 1]
    if not rest:
        return number
    ids = 1 << 4 * (ID_LENGTH - len(digits))  # that begin with these digits
    behind = [digit for digit in "0123456789abcdef" if digit > rest]
    return number + (int(behind[0], 16) * ids // 16 if behind and ids > 1 else ids)


def created_at(job_id: str) -> Ticks:
    """The millisecond in a job id."""
    return Ticks(UNIX_EPOCH + int(job_id[:12], 16) * PER_MILLISECOND)


def is_job_id(text: str) -> bool:
    """Whether the text is a UUIDv7 in the form of job rows."""
    return _JOB_ID.fullmatch(text) is not None


def is_row_id(text: str) -> bool:
    """Whether the text can be the RowKey of a job row: 32 lowercase hex digits."""
    return _HEX_ID.fullmatch(text) is not None


def _uuid7(created: Ticks, random_bits: int) -> str:
    # RFC 9562: 48 bits of milliseconds, version 7, 12 bits (here a fraction of a millisecond), variant 2, 62 bits.
    fraction = (created - UNIX_EPOCH) % PER_MILLISECOND * 4096 // PER_MILLISECOND
    value = _milliseconds(created) << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | random_bits
    return f"{value:032x}"


def _milliseconds(moment: Ticks) -> int:
    # A UUIDv7 can't be before 1970; such a job sorts first.
    return max(0, (moment - UNIX_EPOCH) // PER_MILLISECOND)
