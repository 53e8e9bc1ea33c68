"""The exchanges with an endpoint, and the views of them that rules use."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256

from proxy.conformance.contract import JSON, BodyFormat
from proxy.conformance.exchange import Exchange, Purpose
from proxy.conformance.parsed import ParsedEnvelope, ParsedJob
from proxy.conformance.parsed_query import ParsedAnswer, parse_answer
from proxy.conformance.parser import parse

# Equal bodies from this length on are kept once. A list of a thousand jobs has some hundred thousand bytes.
LONG_BODY = 256_000

_TRACE_ID = re.compile(rb'(?:"traceId"\s*:\s*"|<TraceId>)([0-9a-f]{32})')


@dataclass
class Recording:
    """The exchanges in their order. `stopped` says why the run ended early, `scheme` is that of the endpoint.

    `secrets` are the keys; a rule judges whether an error shows one.
    """

    exchanges: list[Exchange] = field(default_factory=list)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    secrets: tuple[str, ...] = field(default=(), repr=False)
    stopped: str = ""
    scheme: str = "http"
    # By the identity of the exchange, which the list above keeps alive.
    _envelopes: dict[int, ParsedEnvelope | None] = field(default_factory=dict, init=False, repr=False, compare=False)
    _answers: dict[int, ParsedAnswer | None] = field(default_factory=dict, init=False, repr=False, compare=False)
    _long: dict[bytes, Exchange] = field(default_factory=dict, init=False, repr=False, compare=False)

    def add(self, exchange: Exchange) -> Exchange:
        """Appends an exchange. A long body that repeats an earlier one, but for the trace id, is kept and parsed once.

        Otherwise a dozen lists of ten thousand jobs would take a gigabyte.
        """
        if len(exchange.body) >= LONG_BODY and (trace_id := _TRACE_ID.search(exchange.body)):
            body, (start, end) = memoryview(exchange.body), trace_id.span(1)
            digest = sha256(body[:start])
            digest.update(body[end:])
            first = self._long.setdefault(digest.digest(), exchange)
            envelope = self.envelope_of(first)
            if first is not exchange and envelope is not None:
                exchange = replace(exchange, body=first.body)
                values = {**envelope.values, "traceId": trace_id[1].decode()}
                self._envelopes[id(exchange)] = replace(envelope, exchange=exchange, values=values)
        self.exchanges.append(exchange)
        return exchange

    @property
    def answers(self) -> Iterator[Exchange]:
        """The answered exchanges with the endpoint itself."""
        return (each for each in self.exchanges if not each.failure and not each.request.is_link)

    def of(self, *purposes: Purpose) -> Iterator[Exchange]:
        """The answered exchanges of these purposes."""
        return (each for each in self.exchanges if each.request.purpose in purposes and not each.failure)

    def envelope_of(self, exchange: Exchange) -> ParsedEnvelope | None:
        """The envelope of an answer; None if it has none, or needs none."""
        if id(exchange) not in self._envelopes:
            self._envelopes[id(exchange)] = parse(exchange) if exchange.is_envelope else None
        return self._envelopes[id(exchange)]

    def envelopes(self, *purposes: Purpose, form: BodyFormat | None = None) -> Iterator[ParsedEnvelope]:
        """The envelopes of these purposes, or of all, in one format or in both."""
        for exchange in self.exchanges:
            if not purposes or exchange.request.purpose in purposes:
                envelope = self.envelope_of(exchange)
                if envelope is not None and form in {None, envelope.format}:
                    yield envelope

    def jobs(self, *purposes: Purpose, form: BodyFormat | None = None) -> Iterator[ParsedJob]:
        """The jobs of these answers; those of a repeated long list once."""
        yielded = set[int]()
        for envelope in self.envelopes(*purposes, form=form):
            for resource_set in envelope.sets:
                if id(resource_set) not in yielded:
                    yielded.add(id(resource_set))
                    yield from resource_set.jobs

    def answer_of(self, exchange: Exchange) -> ParsedAnswer | None:
        """The entities that answer a query; None if it has none in the requested format."""
        if id(exchange) not in self._answers:
            self._answers[id(exchange)] = parse_answer(exchange)
        return self._answers[id(exchange)]

    def listed(self, form: BodyFormat = JSON) -> tuple[ParsedJob, ...]:
        """The jobs of the first list in a format."""
        envelope = next(self.envelopes(Purpose.LIST, form=form), None)
        return () if envelope is None else envelope.jobs

    @cached_property
    def is_steady(self) -> bool:
        """Whether the job list was the same each time."""
        first = [(job.id, job.status) for job in self.listed()]
        again = [[(job.id, job.status) for job in each.jobs] for each in self.envelopes(Purpose.LIST_AGAIN)]
        return bool(again) and all(each == first for each in again)
