"""The worker: takes jobs of all accounts from their queues and does them, until it is told to stop.

Each account has a loop of its own, so that one whose storage is broken holds up nobody else. Some jobs are done side by
side; nobody takes a job that would have to wait for them: another worker may have its hands free.
"""

import asyncio
import logging
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field

from adapters.account import AccountStorage
from adapters.errors import ConflictError, StorageError, StorageErrorCode
from adapters.job_queue import Lease
from adapters.sdk_calls import JITTER
from adapters.tables.properties import MalformedRowError
from adapters.tables.worker_rows import WorkerRow, write_worker_row
from proxy.keyring.reload import ActiveKeyRing
from proxy.worker.attempt import UnfitError, WorkerContext, postpone
from proxy.worker.cleanup import sweep
from proxy.worker.job import now
from proxy.worker.lease import run_leased_job
from proxy.worker.slots import Slots

log = logging.getLogger(__name__)

# Seconds between two looks at an empty queue, growing from the first to the last. Each look is a request that costs.
IDLE = (0.2, 2.0)

# The same for an account whose storage is broken.
BROKEN = (1.0, 60.0)

SWEEP_SECONDS = 60.0
FIRST_SWEEP_SECONDS = 5.0

FOLLOW_SECONDS = 0.5

# Between two signs of life.
LIFE_SECONDS = 10.0
# How long a look at a queue may keep the next account, which waits for the same slot, from looking.
LOOK_SECONDS = 1.0

_EXPECTED = (StorageError, ConflictError, MalformedRowError)


@dataclass(eq=False)
class _AccountLoop:
    """What works for one account, and how it is told to stop."""

    account: AccountStorage
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    jobs: set[asyncio.Task[None]] = field(default_factory=set)
    in_hand: set[str] = field(default_factory=set)
    turns: deque[Lease] = field(default_factory=deque)
    """Jobs whose turn came when another of their data source ended, taken already."""
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    """Set where there is such a job, or an end of all."""
    looks: bool = False
    backoff: float = 0.0
    """Seconds for which no more jobs are taken, after one that storage failed."""


class Worker:
    """Does the jobs of all accounts of a ring, and follows its changes."""

    def __init__(self, ring: ActiveKeyRing, place: WorkerContext, version: str = "") -> None:
        """`version` is the program's, for its heartbeat row."""
        self._started = now()
        self._version = version
        self._ring = ring
        self._place = place
        self._slots = Slots(place.readers.limits.jobs)
        self._hands: dict[str, _AccountLoop] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._unfit: UnfitError | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Works until `stop` is set; then finishes what it holds, or gives it back.

        Raises:
            UnfitError: jobs can't be done here. What it held is given back all the same.
        """
        while not stop.is_set() and self._unfit is None:
            self._follow()
            await _wait(stop, FOLLOW_SECONDS)
        for name in list(self._hands):
            self._dismiss(name)
        if self._leaving:
            await asyncio.wait(self._leaving)
        if self._unfit is not None:
            raise self._unfit

    def _follow(self) -> None:
        """Works for the accounts that the ring has now, and no others."""
        there = {}
        for name in self._ring.accounts.names:
            with suppress(StorageError):  # it can't be opened, which was told when it was tried
                there[name] = self._ring.accounts[name]
        for name, hand in list(self._hands.items()):
            if there.get(name) is not hand.account:
                self._dismiss(name)
        for name, account in there.items():
            if name not in self._hands:
                hand = self._hands[name] = _AccountLoop(account)
                hand.tasks += [asyncio.create_task(self._take_jobs(hand)), asyncio.create_task(self._sweep(hand))]
                hand.tasks.append(asyncio.create_task(self._live(hand)))
        self._slots.accounts = len(self._hands)

    def _dismiss(self, name: str) -> None:
        hand = self._hands.pop(name)
        hand.stop.set()
        hand.woken.set()
        self._slots.wake_all()
        for task in hand.tasks:
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    async def _take_jobs(self, hand: _AccountLoop) -> None:
        idle, broken = IDLE[0], BROKEN[0]
        while not hand.stop.is_set():
            try:
                idle = IDLE[0] if await self._begin_one(hand) else min(IDLE[1], idle * 1.5)
                wait, broken = max(hand.backoff, 0.0 if idle == IDLE[0] else idle), BROKEN[0]
            except Exception as error:  # noqa: BLE001 - whatever it is, the worker goes on
                _tell(hand.account, "jobs can't be taken", error)
                wait, broken = broken, min(BROKEN[1], broken * 2)
                with suppress(StorageError):
                    await hand.account.create_missing()
            await _wait(hand.woken, wait * JITTER.uniform(0.5, 1.5))
            hand.woken.clear()
        if hand.jobs:
            await asyncio.wait(hand.jobs)
        while hand.turns:
            with suppress(StorageError):  # then its lease ends by itself
                await hand.turns.popleft().release()

    async def _begin_one(self, hand: _AccountLoop) -> bool:
        """Begins the next job; whether there was one."""
        name = hand.account.name
        await self._slots.turn(name, hand.stop)
        if hand.stop.is_set():
            return False
        lease = await self._look(hand)
        if lease is None:
            return False
        if not self._slots.take(name):
            await postpone(hand.account, lease)
            return False
        task = asyncio.create_task(self._do(hand, lease))
        hand.jobs.add(task)
        task.add_done_callback(hand.jobs.discard)
        return True

    async def _look(self, hand: _AccountLoop) -> Lease | None:
        waking = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._slots.wake)
        lease = None
        try:
            lease = await self._next(hand)
        finally:
            waking.cancel()
            if lease is None:
                self._slots.wake()
        if not hand.stop.is_set():  # of an account that has left, nothing is said any more
            self._place.observer.looked(hand.account.name)
        return lease

    @staticmethod
    async def _next(hand: _AccountLoop) -> Lease | None:
        """The next job: by turns one from the queue and one that follows another, so that neither kind holds up all."""
        hand.looks = not hand.looks
        if hand.looks or not hand.turns:
            lease = await hand.account.queue.receive()
            if lease is not None:
                return lease
        while hand.turns:
            lease = hand.turns.popleft()
            if await lease.renew():  # it may have waited for longer than its lease
                return lease
        return None

    async def _do(self, hand: _AccountLoop, lease: Lease) -> None:
        hand.in_hand.add(lease.job_id)
        try:
            following = await run_leased_job(hand.account, lease, self._place, hand.stop)
            hand.backoff = 0.0
            if following is not None:
                hand.turns.append(following)
                hand.woken.set()
        except UnfitError as error:
            self._unfit = error
        except Exception as error:  # noqa: BLE001 - the same
            if isinstance(error, StorageError):  # the rest of the queue is left to workers that reach storage
                hand.backoff = min(BROKEN[1], max(BROKEN[0], 2 * hand.backoff))
            _tell(hand.account, "a job is left to its next try", error)
        finally:
            hand.in_hand.discard(lease.job_id)
            self._slots.give(hand.account.name)

    async def _live(self, hand: _AccountLoop) -> None:
        """Gives signs of life, as long as the account takes them."""
        while not hand.stop.is_set():
            row = WorkerRow(self._place.worker, self._started, self._version, tuple(sorted(hand.in_hand)))
            try:
                await write_worker_row(hand.account, row)
            except StorageError as fault:
                if fault.fault is StorageErrorCode.ACCESS_DENIED:
                    _tell(hand.account, "no signs of life can be written, so that nobody sees this worker", fault)
                    return
            await _wait(hand.stop, LIFE_SECONDS)

    async def _sweep(self, hand: _AccountLoop) -> None:
        wait = FIRST_SWEEP_SECONDS
        while True:
            await _wait(hand.stop, wait * JITTER.uniform(0.5, 1.5))
            if hand.stop.is_set():
                return
            try:
                await sweep(hand.account)
            except Exception as error:  # noqa: BLE001 - the same
                _tell(hand.account, "not all was swept", error)
            wait = SWEEP_SECONDS


def _tell(account: AccountStorage, what: str, error: Exception) -> None:
    advice = error.fault.value.advice if isinstance(error, StorageError) else None
    known = isinstance(error, _EXPECTED)
    text = str(error) if known else type(error).__name__
    log.warning("%s: %s", what, text, extra={"account": account.name, "advice": advice}, exc_info=not known)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({stopping}, timeout=seconds)
    stopping.cancel()
