"""Holding a lease: it is renewed as long as the job is done, and the job ends when the lease is lost."""

import asyncio
import logging
import time

from adapters.account import Account
from adapters.errors import StorageFaultError
from adapters.queue import Lease
from adapters.watch import UNNEEDED
from proxy.work.attempt import Place, attempt, postpone
from proxy.work.seen import FAILED, GIVEN_BACK, LOST

log = logging.getLogger(__name__)

# How long a job may go on when the worker is to stop. Containers get ten seconds from SIGTERM to SIGKILL.
STOP_SECONDS = 5.0


async def do(account: Account, lease: Lease, place: Place, stop: asyncio.Event) -> Lease | None:
    """Does a leased job; gives it back when `stop` is set and it does not end soon.

    Returns:
        The next job of the same data source where it is now its turn, taken already.

    Raises:
        StorageFaultError: storage does not take the result.
        ConflictError: others kept changing the job's row.
    """
    doing = asyncio.create_task(attempt(account, lease, place))
    keeping = asyncio.create_task(_keep(lease, account.queue.lease_seconds))
    stopping = asyncio.create_task(_patience(stop))
    try:
        await asyncio.wait({doing, keeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (doing, keeping, stopping):
            task.cancel(UNNEEDED)
        await asyncio.wait({doing, keeping, stopping})
    if not doing.cancelled():
        place.seen.ended(lease, FAILED)  # unless it has been said how it ended
        return doing.result()
    if not stopping.cancelled():
        place.seen.ended(lease, GIVEN_BACK)
        await postpone(account, lease)
        log.info("a job is given back", extra={"account": account.name, "row_key": lease.job_id})
    else:
        place.seen.ended(lease, LOST)
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
        except StorageFaultError as fault:
            log.warning("a lease was not renewed: %s", fault)


async def _patience(stop: asyncio.Event) -> None:
    await stop.wait()
    await asyncio.sleep(STOP_SECONDS)
