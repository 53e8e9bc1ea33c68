"""Holding a lease: it is renewed as long as the job is done, and the job ends when the lease is lost."""

import asyncio
import logging
import time

from adapters.account import AccountStorage
from adapters.errors import StorageError
from adapters.instrumentation import UNNEEDED
from adapters.job_queue import Lease
from proxy.worker.attempt import WorkerContext, attempt_job, postpone
from proxy.worker.observer import FAILED, GIVEN_BACK, LOST

log = logging.getLogger(__name__)

# How long a job may go on when the worker is to stop. Containers get ten seconds from SIGTERM to SIGKILL.
STOP_SECONDS = 5.0


async def run_leased_job(
    account: AccountStorage, lease: Lease, place: WorkerContext, stop: asyncio.Event
) -> Lease | None:
    """Does a leased job; gives it back when `stop` is set and it does not end soon.

    Returns:
        The next job of the same data source where it is now its turn, taken already.

    Raises:
        StorageFaultError: storage does not take the result.
        ConflictError: others kept changing the job's row.
    """
    doing = asyncio.create_task(attempt_job(account, lease, place))
    keeping = asyncio.create_task(_keep(lease, account.queue.lease_seconds))
    stopping = asyncio.create_task(_patience(stop))
    try:
        await asyncio.wait({doing, keeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (doing, keeping, stopping):
            task.cancel(UNNEEDED)
        await asyncio.wait({doing, keeping, stopping})
    if not doing.cancelled():
        place.observer.ended(lease, FAILED)  # unless it has been said how it ended
        return doing.result()
    if not stopping.cancelled():
        place.observer.ended(lease, GIVEN_BACK)
        await postpone(account, lease)
        log.info("a job is given back", extra={"account": account.name, "row_key": lease.job_id})
    else:
        place.observer.ended(lease, LOST)
        log.warning("a job's lease was lost", extra={"account": account.name, "row_key": lease.job_id})
    return None


async def _keep(lease: Lease, seconds: float) -> None:
    """Renews the lease; returns when it is lost, or has run out because storage could not be asked."""
    renewed = time.monotonic()
    while time.monotonic() < renewed + seconds:
        await asyncio.sleep(seconds / 3)
        asked = time.monotonic()
        try:
            if not await lease.renew():
                return
            renewed = asked
        except StorageError as fault:
            log.warning("a lease was not renewed: %s", fault)


async def _patience(stop: asyncio.Event) -> None:
    await stop.wait()
    await asyncio.sleep(STOP_SECONDS)
