"""How long a migration waits for the service: between two looks at a job, after a failure, and at a limit."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from proxy.migration.errors import MigrationStoppedError
from proxy.migration.progress import Progress

FAILURES = 4
"""A request is given up after so many failures in a row."""

QUOTA = "JobUsageQuota"
"""The word in a 503 of a creation that the service's limits forbid (write-contract.md, "Data sources")."""

# Seconds to wait where the service does not say.
LIMIT_SECONDS = 60.0
_MAX_LIMIT_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits, and says so. With `no_wait` a limit of the service ends the run instead."""

    progress: Progress
    no_wait: bool = False
    retry_seconds: float = 1.0
    first_poll_seconds: float = 0.5
    last_poll_seconds: float = 15.0

    async def wait_for_limit(self, words: str, retry_after: float | None) -> None:
        """Waits until the service may take more.

        Raises:
            MigrationStoppedError: the run is not to wait.
        """
        if self.no_wait:
            raise MigrationStoppedError(f"the service takes no more now ({words}), and --no-wait is given")
        seconds = min(_MAX_LIMIT_SECONDS, LIMIT_SECONDS if retry_after is None else retry_after)
        until = datetime.now(UTC) + timedelta(seconds=seconds)
        self.progress.say(f"the service takes no more now ({words}): waits {seconds:.0f} s, until {until:%H:%M:%S} UTC")
        await asyncio.sleep(seconds)

    async def wait_after_failure(self, number: int, retry_after: float | None = None) -> None:
        """Waits after the failure of this number, from 1."""
        await asyncio.sleep(self.retry_seconds * 3 ** (number - 1) if retry_after is None else min(retry_after, 30))

    async def wait_for_job(self, number: int) -> None:
        """Waits before the next look at a pending job, longer each time."""
        await asyncio.sleep(min(self.last_poll_seconds, self.first_poll_seconds * 1.5**number))
