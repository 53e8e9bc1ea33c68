"""The clock of storage, read from the Date header of its responses. Ages must not depend on one machine's clock."""

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from adapters.model.ticks import PER_SECOND, Ticks, from_datetime

# A machine's clock this near to storage's counts as right, since a response's date has whole seconds only.
TOLERANCE = 60 * PER_SECOND


class StorageClock:
    """The time of one account's storage; a monotonic clock fills the gaps between its responses."""

    def __init__(self) -> None:
        self.last_date: Ticks | None = None
        """The date of the newest response, to the second."""
        self._observed_at = 0.0

    def observe(self, date: str | None) -> None:
        """Records the `Date` header of a response; ignores a malformed one."""
        try:
            last_date = from_datetime(parsedate_to_datetime(date or "").astimezone(UTC))
        except (ValueError, OverflowError):
            return
        self.last_date, self._observed_at = last_date, time.monotonic()

    def now(self) -> Ticks:
        """The time by this machine's clock where that is right or no response has come yet, else by storage's."""
        own = from_datetime(datetime.now(UTC))
        if self.last_date is None:
            return own
        storage = Ticks(self.last_date + int((time.monotonic() - self._observed_at) * PER_SECOND))
        return own if abs(own - storage) < TOLERANCE else storage
