"""The clock of storage, read from the Date header of its answers. Ages must not depend on one machine's clock."""

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from adapters.model.ticks import PER_SECOND, Ticks, from_datetime

# A machine's clock that is this near to storage's is taken as it is, for an answer's date has whole seconds only.
NEAR = 60 * PER_SECOND


class StorageClock:
    """The time of one account's storage; a monotonic clock fills the gaps between its answers."""

    def __init__(self) -> None:
        self.told_at: Ticks | None = None
        """What the newest answer said, to the second."""
        self._heard_at = 0.0

    def observe(self, date: str | None) -> None:
        """Takes the `Date` header of an answer; what is none is passed over."""
        try:
            told_at = from_datetime(parsedate_to_datetime(date or "").astimezone(UTC))
        except (ValueError, OverflowError):
            return
        self.told_at, self._heard_at = told_at, time.monotonic()

    def now(self) -> Ticks:
        """This moment: by the machine's clock where it is right, else by storage's; the machine's before any answer."""
        own = from_datetime(datetime.now(UTC))
        if self.told_at is None:
            return own
        told = Ticks(self.told_at + int((time.monotonic() - self._heard_at) * PER_SECOND))
        return own if abs(own - told) < NEAR else told
