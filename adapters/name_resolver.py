"""Resolves host names in threads of its own.

aiohttp resolves in the event loop's threads, which all accounts share: names that take long would hold others back.
"""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from aiohttp.abc import AbstractResolver, ResolveResult

THREADS = 2

# Addresses need no further look-up.
_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class NameResolver(AbstractResolver):
    """A resolver that shares no thread with others."""

    def __init__(self, name: str) -> None:
        """`name` is what its threads are called."""
        self._threads = ThreadPoolExecutor(THREADS, name)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a host.

        Raises:
            OSError: it has none.
        """
        look_up = partial(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        return [
            ResolveResult(
                hostname=host, host=str(address[0]), port=int(address[1]), family=kind, proto=protocol, flags=_NUMERIC
            )
            for kind, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Ends its threads, and does not wait for names that take long."""
        self._threads.shutdown(wait=False, cancel_futures=True)
