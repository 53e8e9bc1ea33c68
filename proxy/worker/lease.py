"""A leased job: the lease is renewed while the job runs, and the job ends with the lease."""

import asyncio
import logging
import time
from contextlib import suppress

from adapters.account import AccountStorage
from adapters.errors import ConflictError, StorageError
from adapters.job_queue import Lease
from adapters.request_coalescing import NO_LONGER_NEEDED
from adapters.tables.properties import MalformedRowError
from proxy.worker.attempt import Attempt
from proxy.worker.job import LeaseLostError, WorkerContext
from proxy.worker.observer import LOST

log = logging.getLogger(__name__)

# Seconds that a job may go on after SIGTERM. Containers get ten until SIGKILL.
STOP_SECONDS = 5.0

PROGRESS_SECONDS = 1.0


async def run_leased_job(account: AccountStorage, lease: Lease, context: WorkerContext, stop: asyncio.Event) -> None:
    """Does a leased job; gives it back if `stop` is set and the job does not end soon.

    Raises:
        StorageError: storage did not answer.
        ConflictError: other writers kept changing the job's row.
        UnfitError: this worker can't do any job.
    """
    attempt = Attempt(account, lease, context, stop)
    running = asyncio.create_task(attempt.run())
    renewing = asyncio.create_task(_renew(attempt, account.queue.lease_seconds))
    stopping = asyncio.create_task(_wait_for_stop(stop))
    reporting = asyncio.create_task(_report_progress(attempt))
    try:
        await asyncio.wait({running, renewing, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        tasks = {running, renewing, stopping, reporting}
        for task in tasks:
            task.cancel(NO_LONGER_NEEDED)
        await asyncio.wait(tasks)
    try:
        if not running.cancelled():
            running.result()
        elif stopping.cancelled():
            attempt.outcome = LOST
            log.warning("a job's lease was lost, or the job was ended", extra=attempt.log_fields)
        else:
            await attempt.give_back()
            log.info("a job is given back", extra=attempt.log_fields)
    finally:
        attempt.notify_finished()


async def _renew(attempt: Attempt, seconds: float) -> None:
    """Renews the lease; returns when the attempt must not go on.

    The lease is lost, or has run out because storage did not answer; or an operator has ended the job.
    """
    renewed = time.monotonic()
    while time.monotonic() < renewed + seconds:
        await asyncio.sleep(seconds / 3)
        called = time.monotonic()
        try:
            if not await attempt.lease.renew():
                return
            renewed = called
            await attempt.confirm()
        except LeaseLostError:
            return
        except (StorageError, MalformedRowError) as error:
            log.warning("a lease was not renewed: %s", error)


async def _wait_for_stop(stop: asyncio.Event) -> None:
    await stop.wait()
    await asyncio.sleep(STOP_SECONDS)


async def _report_progress(attempt: Attempt) -> None:
    """Writes the counts to the job's row whenever they have changed."""
    reported = 0
    while True:
        await asyncio.sleep(PROGRESS_SECONDS)
        job = attempt.job
        if job is not None and job.processed != reported:
            with suppress(StorageError, ConflictError, MalformedRowError):  # the next second has newer counts
                processed = job.processed
                await job.report_progress()
                reported = processed
