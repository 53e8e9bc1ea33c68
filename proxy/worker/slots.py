"""Slots for the jobs that a worker does side by side, shared by all accounts."""

import asyncio
from collections import Counter

MAX_LENT = 8
"""Jobs that go on without a slot. They only wait for answers of others, and each has some calls in flight."""


class Slots:
    """A number of slots. If there are several accounts, none gets the last free slot while it holds another one.

    So a heavy job delays jobs of its own account only, as long as there are fewer heavy accounts than slots.
    """

    def __init__(self, count: int) -> None:
        self.accounts = 1
        """The number of accounts."""
        self.lent = 0
        """The number of jobs that go on without a slot."""
        self._free = count
        self._taken: Counter[str] = Counter()
        self._waiting: list[tuple[str, asyncio.Event]] = []

    async def wait(self, account: str, stop: asyncio.Event) -> None:
        """Returns when the account may take a slot, or after `stop` is set and `wake_all` called.

        It takes none, because polling a queue may be slow, and the queue may be empty. Waiting accounts wake up one by
        one, each after a call of `try_acquire`, `release` or `wake_next`.
        """
        while not (stop.is_set() or self._may_acquire(account)):
            woken = asyncio.Event()
            self._waiting.append((account, woken))
            await woken.wait()

    def try_acquire(self, account: str) -> bool:
        """Takes a slot for a job of the account; False if other accounts were quicker."""
        if not self._may_acquire(account):
            return False
        self._free -= 1
        self._taken[account] += 1
        self.wake_next()
        return True

    def release(self, account: str) -> None:
        """Frees a slot of the account."""
        self._free += 1
        self._taken[account] -= 1
        self.wake_next()

    def wake_next(self) -> None:
        """Wakes the first waiting account that may take a slot."""
        for index, (account, woken) in enumerate(self._waiting):
            if self._may_acquire(account):
                del self._waiting[index]
                woken.set()
                return

    def wake_all(self) -> None:
        """Wakes all waiting accounts, so that each checks whether it has to stop."""
        waiting, self._waiting = self._waiting, []
        for _, woken in waiting:
            woken.set()

    def _may_acquire(self, account: str) -> bool:
        return self._free > (1 if self._taken[account] and self.accounts > 1 else 0)


class HeldSlot:
    """The slot of one job, for as long as the job needs it."""

    def __init__(self, slots: Slots, account: str) -> None:
        """The slot is taken already."""
        self._slots, self._account = slots, account
        self._is_lent = False

    def lend(self) -> None:
        """Frees the slot for another job, because this one only waits from now on; keeps it if many did so."""
        if not self._is_lent and self._slots.lent < MAX_LENT:
            self._is_lent = True
            self._slots.lent += 1
            self._slots.release(self._account)

    def release(self) -> None:
        """Ends the job's claim to it. To be called once."""
        if self._is_lent:
            self._slots.lent -= 1
        else:
            self._slots.release(self._account)
