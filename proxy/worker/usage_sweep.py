"""Sums the usage of one account by day, and deletes what is old (operations contract, section 1).

Any number of workers may run it at once, and repeat all of it: `UsageStore` adds each hour to its day once.
"""

from adapters.account import AccountStorage
from adapters.model.ticks import PER_SECOND, Ticks
from adapters.model.usage import day_of

# Ticks.
DAY = 86_400 * PER_SECOND
HOURS_KEPT = 2 * DAY
DAYS_KEPT = 60 * DAY


async def sweep_usage(account: AccountStorage) -> None:
    """Sums hours older than 48 hours into days, and deletes days older than 60 days.

    Raises:
        StorageError: storage did not answer. The next sweep continues.
        ConflictError: other workers were first each time.
    """
    usage, moment = account.usage, account.clock.now()
    first_day = day_of(Ticks(moment - DAYS_KEPT))
    # An hour is old when its end is: the hour that began 48 hours ago is not.
    async for hour, rows in usage.hours_before(Ticks(moment - HOURS_KEPT)):
        if hour >= first_day:  # the sum of an older one would be deleted, and could then be made again
            await usage.add_to_day(hour, rows)
        await usage.remove(rows)
    await usage.remove_days_before(Ticks(moment - DAYS_KEPT))
