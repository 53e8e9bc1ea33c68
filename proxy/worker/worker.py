"""The worker: takes jobs of all accounts from their queues and does some of them side by side, until it has to stop.

Each account has its own loop, so an account with broken storage delays no other. A worker takes no job that would have
to wait for its own jobs: another worker may be free.
"""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field, replace

from adapters.account import AccountStorage
from adapters.errors import ConflictError, StorageError, StorageErrorCode
from adapters.job_queue import Lease
from adapters.sdk_calls import JITTER
from adapters.tables.properties import MalformedRowError
from adapters.tables.worker_rows import WorkerRow
from proxy.keyring.reload import ActiveKeyRing
from proxy.worker.attempt import UnfitError
from proxy.worker.cleanup import clean_up
from proxy.worker.job import WorkerContext, now
from proxy.worker.lease import run_leased_job
from proxy.worker.slots import HeldSlot, Slots
from proxy.worker.usage_sweep import sweep_usage

log = logging.getLogger(__name__)

# Seconds between two polls of an empty queue, growing from the first to the second. Each poll is a paid request.
IDLE_SECONDS = (0.2, 2.0)

# The same for an account whose storage is broken.
BROKEN_SECONDS = (1.0, 60.0)

FIRST_CLEANUP_SECONDS = 5.0
CLEANUP_SECONDS = 60.0

# Seconds between two sums of usage, of which an hour more is old each time.
USAGE_SECONDS = 600.0

# Seconds between two checks of the key ring for new and removed accounts.
FOLLOW_SECONDS = 0.5

# Seconds between two writes of the worker's row.
WORKER_ROW_SECONDS = 10.0

# Seconds after which a slow poll lets the next account that waits for the same slot poll too.
SLOW_POLL_SECONDS = 1.0

_EXPECTED = (StorageError, ConflictError, MalformedRowError)


@dataclass(eq=False)
class _AccountLoop:
    """The tasks and jobs of one account.

    Attributes:
        woken: set after a job has ended, because its successor may be in the queue, and when the loop has to stop.
        backoff: seconds for which the loop takes no job after storage failed one.
    """

    account: AccountStorage
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    jobs: dict[asyncio.Task[None], str] = field(default_factory=dict)
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    backoff: float = 0.0


class Worker:
    """Does the jobs of all accounts of a key ring, and follows changes of the ring."""

    def __init__(self, ring: ActiveKeyRing, context: WorkerContext, version: str = "") -> None:
        """`version` is the program's, for the worker's row."""
        self._started = now()
        self._version = version
        self._ring = ring
        self._context = context
        self._slots = Slots(context.readers.limits.jobs)
        self._loops: dict[str, _AccountLoop] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._unfit: UnfitError | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Works until `stop` is set; then finishes its jobs, or gives them back.

        Raises:
            UnfitError: this worker can't do any job. It has given back those that it held.
        """
        while not stop.is_set() and self._unfit is None:
            self._follow_ring()
            await _wait(stop, FOLLOW_SECONDS)
        for name in list(self._loops):
            self._dismiss(name)
        if self._leaving:
            await asyncio.wait(self._leaving)
        if self._unfit is not None:
            raise self._unfit

    def _follow_ring(self) -> None:
        """Starts loops for new accounts and dismisses those of removed ones."""
        current = {}
        for name in self._ring.accounts.names:
            with suppress(StorageError):  # the registry has logged why the account can't be opened
                current[name] = self._ring.accounts[name]
        for name, loop in list(self._loops.items()):
            if current.get(name) is not loop.account:
                self._dismiss(name)
        for name, account in current.items():
            if name not in self._loops:
                loop = self._loops[name] = _AccountLoop(account)
                coroutines = [self._take_jobs(loop), self._clean_up(loop), self._write_row(loop)]
                if self._context.limits.sums_usage:
                    coroutines.append(self._sweep_usage(loop))
                loop.tasks += [asyncio.create_task(each) for each in coroutines]
        self._slots.accounts = len(self._loops)

    def _dismiss(self, name: str) -> None:
        loop = self._loops.pop(name)
        loop.stop.set()
        loop.woken.set()
        self._slots.wake_all()
        for task in loop.tasks:
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    async def _take_jobs(self, loop: _AccountLoop) -> None:
        idle, broken = IDLE_SECONDS[0], BROKEN_SECONDS[0]
        while not loop.stop.is_set():
            try:
                has_begun = await self._begin_next(loop)
                idle = IDLE_SECONDS[0] if has_begun or loop.woken.is_set() else min(IDLE_SECONDS[1], idle * 1.5)
                wait, broken = max(loop.backoff, 0.0 if has_begun else idle), BROKEN_SECONDS[0]
            except Exception as error:  # noqa: BLE001  the worker survives every error of an account
                _log_error(loop.account, "jobs can't be taken", error)
                wait, broken = broken, min(BROKEN_SECONDS[1], broken * 2)
                with suppress(StorageError):
                    await loop.account.create_missing()
            await _wait(loop.woken, wait * JITTER.uniform(0.5, 1.5))
            loop.woken.clear()
        if loop.jobs:
            await asyncio.wait(loop.jobs)

    async def _begin_next(self, loop: _AccountLoop) -> bool:
        """Begins the next job of the account; False if there is none, or no slot for it."""
        name = loop.account.name
        await self._slots.wait(name, loop.stop)
        if loop.stop.is_set():
            return False
        lease = await self._poll(loop)
        if lease is None:
            return False
        if not self._slots.try_acquire(name):
            await lease.release()
            return False
        task = asyncio.create_task(self._do(loop, lease, HeldSlot(self._slots, name)))
        loop.jobs[task] = lease.job_id
        task.add_done_callback(loop.jobs.pop)
        return True

    async def _poll(self, loop: _AccountLoop) -> Lease | None:
        waking = asyncio.get_running_loop().call_later(SLOW_POLL_SECONDS, self._slots.wake_next)
        lease = None
        try:
            lease = await loop.account.queue.receive()
        finally:
            waking.cancel()
            if lease is None:
                self._slots.wake_next()
        if not loop.stop.is_set():  # a removed account has no metrics
            self._context.observer.polled(loop.account.name)
        return lease

    async def _do(self, loop: _AccountLoop, lease: Lease, slot: HeldSlot) -> None:
        context = replace(self._context, lend_slot=slot.lend)
        try:
            await run_leased_job(loop.account, lease, context, loop.stop)
            loop.backoff = 0.0
        except UnfitError as error:
            self._unfit = error
        except Exception as error:  # noqa: BLE001  the worker survives every error of a job
            if isinstance(error, StorageError):  # workers that reach storage may take the rest of the queue
                loop.backoff = min(BROKEN_SECONDS[1], max(BROKEN_SECONDS[0], 2 * loop.backoff))
            _log_error(loop.account, "a job is left to its next try", error)
        finally:
            slot.release()
            if not loop.backoff:
                loop.woken.set()

    async def _write_row(self, loop: _AccountLoop) -> None:
        """Writes the worker's row for the account every few seconds, until storage denies it."""
        while not loop.stop.is_set():
            row = WorkerRow(self._context.worker, self._started, self._version, tuple(sorted(loop.jobs.values())))
            try:
                await loop.account.workers.write(row)
            except StorageError as error:
                if error.code is StorageErrorCode.ACCESS_DENIED:
                    _log_error(loop.account, "the worker's row can't be written, so commands don't show it", error)
                    return
            await _wait(loop.stop, WORKER_ROW_SECONDS)

    async def _clean_up(self, loop: _AccountLoop) -> None:
        wait = FIRST_CLEANUP_SECONDS
        while True:
            await _wait(loop.stop, wait * JITTER.uniform(0.5, 1.5))
            if loop.stop.is_set():
                return
            try:
                await clean_up(loop.account, self._context.limits.keep_outputs_days)
            except Exception as error:  # noqa: BLE001  the next clean-up continues
                _log_error(loop.account, "the clean-up is incomplete", error)
            wait = CLEANUP_SECONDS

    async def _sweep_usage(self, loop: _AccountLoop) -> None:
        wait = FIRST_CLEANUP_SECONDS
        while True:
            await _wait(loop.stop, wait * JITTER.uniform(0.5, 1.5))
            if loop.stop.is_set():
                return
            try:
                await sweep_usage(loop.account)
            except Exception as error:  # noqa: BLE001  the next sweep continues
                _log_error(loop.account, "usage is not summed by day", error)
                if isinstance(error, StorageError) and error.code is StorageErrorCode.ACCESS_DENIED:
                    return  # the account works without it
            wait = USAGE_SECONDS


def _log_error(account: AccountStorage, what: str, error: Exception) -> None:
    hint = error.code.value.hint if isinstance(error, StorageError) else None
    is_expected = isinstance(error, _EXPECTED)
    text = str(error) if is_expected else type(error).__name__
    log.warning("%s: %s", what, text, extra={"account": account.name, "hint": hint}, exc_info=not is_expected)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    waiting = asyncio.create_task(event.wait())
    await asyncio.wait({waiting}, timeout=seconds)
    waiting.cancel()
