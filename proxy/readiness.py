"""Whether this process should be sent requests."""

import asyncio
import time

from adapters.errors import Fault, StorageFaultError
from proxy.ring_watch import RingInUse

# Seconds that a look at storage may take; what has not answered by then is told from what is known of it.
LOOK_SECONDS = 0.3


class Readiness:
    """What is wrong with each account, and whether the process is ending."""

    def __init__(self, ring: RingInUse) -> None:
        self._ring = ring
        self.stopping = False
        self.asked_at = float("-inf")
        """When the last request came, by the monotonic clock; whether the process lives was no request."""

    def asked(self) -> None:
        """Tells of a request."""
        self.asked_at = time.monotonic()

    async def accounts(self) -> dict[str, str]:
        """Each account of the ring, and `ok` or what is wrong with it, in words without secrets."""
        names = self._ring.accounts.names
        return dict(zip(names, await asyncio.gather(*map(self._condition, names)), strict=True))

    async def _condition(self, name: str) -> str:
        try:
            fault = await self._ring.accounts[name].condition(LOOK_SECONDS)
        except StorageFaultError as error:
            fault = error
        if fault is None:
            return "ok"
        return fault.fault.value.name if fault.fault is Fault.CREDENTIAL else f"{fault} ({fault.fault.value.advice})"
