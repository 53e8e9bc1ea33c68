"""A stand-in for Azure Maps that costs next to nothing: `python -m benchmarks.geocode.stand_in PORT SECONDS`.

Its answers are bytes that are prepared before: the same place for each item, as large as a real answer. The stand-in of
the demo reads, checks and builds each, and would be what a benchmark measures. A GET gives the items asked so far.
"""

import asyncio
import sys
from functools import cache
from typing import cast

import orjson
import uvloop

from benchmarks.geocode.place import PLACE

_ITEM = b'"top":'
_LENGTH = b"content-length: "


@cache
def _answer(items: int) -> bytes:
    body = orjson.dumps({"summary": {}, "batchItems": [{"features": [PLACE]}] * items})
    return _with_head(body)


def _with_head(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


class _Connection(asyncio.Protocol):
    seconds = 0.0
    items = 0

    def __init__(self) -> None:
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        if head.startswith(b"GET"):
            self._transport.write(_with_head(orjson.dumps({"items": _Connection.items})))
        else:
            length = head.lower().partition(_LENGTH)[2].partition(b"\r\n")[0]
            if len(body) < int(length):
                return
            items = body.count(_ITEM)
            _Connection.items += items
            asyncio.get_running_loop().call_later(self.seconds, self._transport.write, _answer(items))
        self._received.clear()


async def _serve(port: int, seconds: float) -> None:
    _Connection.seconds = seconds
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
