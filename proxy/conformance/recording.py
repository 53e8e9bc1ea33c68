"""All that was asked of an endpoint, and the views of it that rules look at."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from proxy.conformance.exchange import AskedFormat, Exchange, Purpose
from proxy.conformance.parsed import ParsedEnvelope, ParsedJob
from proxy.conformance.parser import XmlForm, read, read_xml_form


@dataclass(frozen=True)
class Recording:
    """The exchanges with an endpoint, in their order.

    `asked_at` is when the first was asked, `stopped` why not all was asked, `scheme` that of the endpoint. The secrets
    are the keys, to judge whether an answer tells one.
    """

    exchanges: tuple[Exchange, ...]
    asked_at: datetime
    secrets: tuple[str, ...] = field(default=(), repr=False)
    stopped: str = ""
    scheme: str = "http"
    read_before: Mapping[int, ParsedEnvelope] = field(default_factory=dict, repr=False, compare=False)
    """Envelopes that were read as they came, by the identity of their exchange."""
    _read: dict[int, ParsedEnvelope | None] = field(default_factory=dict, init=False, repr=False, compare=False)
    _forms: dict[int, XmlForm] = field(default_factory=dict, init=False, repr=False, compare=False)

    def of(self, *purposes: Purpose) -> Iterator[Exchange]:
        """The exchanges that were made for these purposes and were answered."""
        return (each for each in self.exchanges if each.ask.purpose in purposes and not each.failure)

    def envelope_of(self, exchange: Exchange) -> ParsedEnvelope | None:
        """The envelope of one answer, None where it has none that could be read."""
        if id(exchange) not in self._read:
            known = self.read_before.get(id(exchange))
            self._read[id(exchange)] = known or (read(exchange) if exchange.is_envelope else None)
        return self._read[id(exchange)]

    def xml_form_of(self, exchange: Exchange) -> XmlForm:
        """The form of an answer in XML that has an envelope."""
        body = exchange.body  # which several exchanges may share, where it is long
        if id(body) not in self._forms:
            self._forms[id(body)] = read_xml_form(body)
        return self._forms[id(body)]

    @property
    def readable(self) -> Iterator[ParsedEnvelope]:
        """Every envelope that could be read."""
        return self.envelopes()

    def envelopes(self, *purposes: Purpose, form: AskedFormat | None = None) -> Iterator[ParsedEnvelope]:
        """The envelopes of these purposes, or of all; of one format, or of both."""
        for exchange in self.exchanges:
            if not purposes or exchange.ask.purpose in purposes:
                each = self.envelope_of(exchange)
                if each is not None and form in {None, each.format}:
                    yield each

    def jobs(self, *purposes: Purpose, form: AskedFormat | None = None) -> Iterator[ParsedJob]:
        """The jobs of these answers, those of a long list that came again only once."""
        seen = set[int]()
        for each in self.envelopes(*purposes, form=form):
            for found in each.sets:
                if id(found) not in seen:  # a long list that came again is judged once
                    seen.add(id(found))
                    yield from found.jobs

    def listed(self, form: AskedFormat = AskedFormat.JSON) -> tuple[ParsedJob, ...]:
        """The jobs of the first list in a format."""
        found = next(self.envelopes(Purpose.LIST, form=form), None)
        return () if found is None else found.jobs

    @cached_property
    def is_steady(self) -> bool:
        """Whether the job list was the same each time: in both formats, and after a query key's."""
        first = [(job.id, job.status) for job in self.listed()]
        again = [[(job.id, job.status) for job in each.jobs] for each in self.envelopes(Purpose.LIST_AGAIN)]
        return bool(again) and all(each == first for each in again)
