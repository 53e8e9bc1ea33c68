"""Long job lists: requests them as rarely as possible and keeps one copy."""

import re
from dataclasses import replace

from proxy.conformance.exchange import Exchange
from proxy.conformance.parsed import ParsedEnvelope
from proxy.conformance.parser import read

# From so many bytes on it is worth while. A list of a thousand jobs has some hundred thousand.
LONG_BODY = 256_000

_TRACE_ID = re.compile(rb"[0-9a-f]{32}")
# The trace id stands behind the resources in JSON and before them in XML.
_AROUND = 2_000


class LongLists:
    """Keeps one of several long answers that differ in their trace ids alone, and what was read of it.

    Without that a dozen lists of ten thousand jobs would take a gigabyte, and each job would be judged a dozen times.
    """

    def __init__(self) -> None:
        self.envelopes: dict[int, ParsedEnvelope] = {}
        """What was read, by the identity of its exchange."""
        self._kept: list[Exchange] = []

    def keep(self, exchange: Exchange) -> Exchange:
        """The exchange to remember: a long one that is known has the body of the one that it is like."""
        if len(exchange.body) < LONG_BODY or not exchange.is_envelope:
            return exchange
        trace_id = _trace_id(exchange.body)
        for known in self._kept:
            first = _trace_id(known.body)
            if first and trace_id and exchange.body.replace(trace_id, first, 1) == known.body:
                return self._like(exchange, known, trace_id.decode())
        found = read(exchange)
        if found is not None:
            self._kept.append(exchange)
            self.envelopes[id(exchange)] = found
        return exchange

    def _like(self, exchange: Exchange, known: Exchange, trace_id: str) -> Exchange:
        kept, envelope = replace(exchange, body=known.body), self.envelopes[id(known)]
        values = {**envelope.values, "traceId": trace_id}
        self.envelopes[id(kept)] = replace(envelope, exchange=kept, values=values)
        return kept


def _trace_id(body: bytes) -> bytes | None:
    """The text of a body's trace id, where it has one."""
    for part in (body[-_AROUND:], body[:_AROUND]):
        place = max(part.rfind(b"traceId"), part.rfind(b"<TraceId>"))
        found = _TRACE_ID.search(part, place) if place >= 0 else None
        if found is not None:
            return found[0]
    return None
