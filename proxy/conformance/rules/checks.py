"""What many rules share: where they find their items, and ready-made checks of answers."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Protocol, TypeVar

from proxy.conformance.contract import JSON, XML, BodyFormat
from proxy.conformance.exchange import Exchange, Purpose
from proxy.conformance.parsed import ParsedEnvelope, ParsedJob, ParsedLink
from proxy.conformance.recording import Recording
from proxy.conformance.rule import NOT_SHOWN, Check, Documented, Observation, Skip, rule

NO_QUERY_KEY = "no query key was given"
OK, FOUND, BAD_REQUEST, NOT_FOUND = 200, 302, 400, 404
CONTEXT = 24

STATUS = (Purpose.STATUS, Purpose.DOWNLOAD)
LISTS = (Purpose.LIST, Purpose.LIST_AGAIN, Purpose.LIST_QUERY_KEY)
JOBS = (*STATUS, *LISTS, Purpose.STATUS_CASE, Purpose.STATUS_SELF, Purpose.DOWNLOAD_ID, Purpose.DOWNLOAD_CASE)


class _Item(Protocol):
    @property
    def exchange(self) -> Exchange: ...

    def show(self, *names: str) -> str: ...


_T = TypeVar("_T", bound=_Item)
# True or an empty text if the item is right; a text if it is wrong, or False where the rule's title says it all;
# None where the rule is not about the item.
Verdict = bool | str | Skip | None
Source = Callable[[Callable[[_T], Verdict], str], Check]


def items(find: Callable[[Recording], Iterable[_T]], *shown: str) -> Source[_T]:
    """The function gets each item; a report shows these members of it."""

    def make_check(judge: Callable[[_T], Verdict], title: str) -> Check:
        def check(recording: Recording) -> Iterator[Observation | Skip]:
            for item in find(recording):
                verdict = judge(item)
                if isinstance(verdict, Skip):
                    yield verdict
                elif verdict is not None:
                    wrong = verdict if isinstance(verdict, str) else "" if verdict else title
                    yield Observation(item.exchange, partial(item.show, *shown), wrong)

        return check

    return make_check


def whole(check: Check, _title: str) -> Check:
    """The function gets the recording and yields its observations."""
    return check


def add(id_: str, title: str, check: Check, needs: str = NOT_SHOWN) -> None:
    """Registers a rule that a ready-made check expresses."""
    rule(id_, title, whole, needs)(check)


def exchanges(*shown: str, among: tuple[Purpose, ...] = ()) -> Source[Exchange]:
    """Each answered exchange with the endpoint, or of these purposes."""
    return items(lambda recording: recording.of(*among) if among else recording.answers, *shown)


def envelopes(*shown: str, among: tuple[Purpose, ...] = (), form: BodyFormat | None = None) -> Source[ParsedEnvelope]:
    """Each envelope, or each of these purposes."""
    return items(lambda recording: recording.envelopes(*among, form=form), *shown)


def jobs(*shown: str, among: tuple[Purpose, ...] = JOBS, form: BodyFormat | None = None) -> Source[ParsedJob]:
    """Each job of the answers of these purposes."""
    return items(lambda recording: recording.jobs(*among, form=form), *shown)


def links(*shown: str, is_signed: bool) -> Source[ParsedLink]:
    """Each link that is signed, or each that is not."""
    return items(
        lambda recording: (link for job in recording.jobs(*JOBS) for link in job.links if link.is_signed is is_signed),
        *shown,
    )


def expects(*purposes: Purpose, status: int, code: str | None = None, documented: int = 0) -> Check:
    """Answers have this HTTP status and, if given, this authenticationResultCode.

    `documented` is the status that the documents have instead.
    """

    def check(recording: Recording) -> Iterator[Observation]:
        for exchange in recording.of(*purposes):
            envelope = recording.envelope_of(exchange)
            wrong = ""
            if documented and exchange.status == documented != status:
                wrong = Documented(f"HTTP {documented}, which the documents name; the contract has {status}")
            elif exchange.status != status:
                wrong = f"the status should be {status}"
            elif code is not None and (envelope is None or envelope.code != code):
                wrong = f"the authenticationResultCode should be {code}"
            yield Observation(exchange, show_code(recording, exchange), wrong)

    return check


def finds_nothing(*purposes: Purpose) -> Check:
    """Answers are 404; or 400, as documented, if the endpoint answers so for every missing job."""

    def check(recording: Recording) -> Iterable[Observation | Skip]:
        statuses = {exchange.status for exchange in recording.of(Purpose.NO_JOB)}
        documented = BAD_REQUEST if statuses == {BAD_REQUEST} else 0
        return expects(*purposes, status=NOT_FOUND, documented=documented)(recording)

    return check


def succeeds(*purposes: Purpose) -> Check:
    """Answers are 200 with an envelope in the requested format."""

    def check(recording: Recording) -> Iterator[Observation]:
        for exchange in recording.of(*purposes):
            envelope, form = recording.envelope_of(exchange), exchange.request.format
            wrong = "" if envelope is not None and envelope.format is form else f"the answer should be {form.upper()}"
            if exchange.status != OK:
                wrong = "the status should be 200"
            yield Observation(exchange, f"{show_code(recording, exchange)}, {exchange.header('content-type')}", wrong)

    return check


def finds(*purposes: Purpose, shows_id: bool = True) -> Check:
    """Answers are 200 with the requested job, its id as stored."""

    def check(recording: Recording) -> Iterator[Observation]:
        for exchange in recording.of(*purposes):
            envelope = recording.envelope_of(exchange)
            job = next(iter(envelope.jobs), None) if envelope is not None else None
            if exchange.status != OK or job is None:
                yield Observation(exchange, exchange.status_line, "the job should be found")
            else:
                wanted = exchange.request.job.id if exchange.request.job is not None and shows_id else ""
                wrong = f"the id should be {wanted}" if wanted not in {"", job.id} else ""
                yield Observation(exchange, job.show("id"), wrong)

    return check


def joined(*checks: Check) -> Check:
    """All of several checks."""
    return lambda recording: (observation for check in checks for observation in check(recording))


def matches(pattern: bytes, wrong: str, form: BodyFormat, *, must: bool = False) -> Check:
    """No body of a format matches the pattern; or each must match it."""
    compiled = re.compile(pattern)

    def check(recording: Recording) -> Iterator[Observation]:
        known: dict[int, re.Match[bytes] | None] = {}  # by body, which repeated long lists share
        for envelope in recording.envelopes(form=form):
            body = envelope.exchange.body
            if id(body) not in known:
                known[id(body)] = compiled.search(body)
            found = known[id(body)]
            span = (0, 60) if found is None else (max(0, found.start() - CONTEXT), found.end() + CONTEXT)
            yield Observation(envelope.exchange, span, wrong if (found is None) is must else "")

    return check


def pairs(recording: Recording, *purposes: Purpose) -> Iterator[tuple[ParsedJob, ParsedJob]]:
    """Each job in JSON and in XML, if both answers have it in the same state."""
    in_json = {(job.exchange.request.path, job.id): job for job in recording.jobs(*purposes, form=JSON)}
    for job in recording.jobs(*purposes, form=XML):
        other = in_json.get((job.exchange.request.path, job.id))
        if other is not None and (other.status == job.status or "Pending" not in {other.status, job.status}):
            yield other, job


def order_fault(names: Iterable[str], order: tuple[str, ...]) -> str:
    """What is wrong with the order of names, some of which may be missing; empty if nothing is."""
    found = tuple(names)
    unknown = [name for name in found if name not in order]
    if unknown:
        return f"{unknown[0]} is no name of the contract"
    positions = [order.index(name) for name in found]
    return "" if positions == sorted(positions) else "the order should be " + ", ".join(order)


def show_code(recording: Recording, exchange: Exchange) -> str:
    """Status and authenticationResultCode."""
    envelope = recording.envelope_of(exchange)
    return f"{exchange.status_line}, {'no envelope' if envelope is None else envelope.code or 'no code'}"
