"""Slots for the jobs that a worker does side by side, shared by all of its accounts."""

import asyncio
from collections import Counter


class Slots:
    """A number of slots, given in turn; where there are several accounts, none gets the last one beside another.

    So a heavy job holds up jobs of its own account only, as long as there are fewer heavy accounts than slots.
    """

    def __init__(self, count: int) -> None:
        self.accounts = 1
        """How many accounts there are."""
        self._free = count
        self._taken: Counter[str] = Counter()
        self._waiting: list[tuple[str, asyncio.Event]] = []

    async def turn(self, account: str, stop: asyncio.Event) -> None:
        """Returns when a slot may be taken for the account, or when `stop` is set and `wake_all` called.

        The slot is not taken yet: to look for a job may take long, and there may be none. Those who wait are woken one
        by one, each by `take`, `give` or `wake`.
        """
        while not (stop.is_set() or self._may(account)):
            woken = asyncio.Event()
            self._waiting.append((account, woken))
            await woken.wait()

    def take(self, account: str) -> bool:
        """Takes a slot for a job of the account, unless others were quicker."""
        if not self._may(account):
            return False
        self._free -= 1
        self._taken[account] += 1
        self.wake()
        return True

    def give(self, account: str) -> None:
        """Gives a slot back."""
        self._free += 1
        self._taken[account] -= 1
        self.wake()

    def wake(self) -> None:
        """Wakes the first waiting account that may take a slot."""
        for place, (account, woken) in enumerate(self._waiting):
            if self._may(account):
                del self._waiting[place]
                woken.set()
                return

    def wake_all(self) -> None:
        """Wakes all waiting accounts, so that they check whether to stop."""
        waiting, self._waiting = self._waiting, []
        for _, woken in waiting:
            woken.set()

    def _may(self, account: str) -> bool:
        return self._free > (1 if self._taken[account] and self.accounts > 1 else 0)
