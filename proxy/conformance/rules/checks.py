"""How rules look: what many of them have in common."""

import re
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import SplitResult, urlsplit

from proxy.conformance.exchange import AskedFormat, Exchange, Purpose
from proxy.conformance.parsed import ParsedEnvelope, ParsedJob
from proxy.conformance.recording import Recording
from proxy.conformance.rule import Check, Observation, Skip

AROUND = 24
NO_JOB = "there is no job in the list"


def expects(*purposes: Purpose, status: int, code: str | None = None, documented: int = 0) -> Check:
    """Answers have this HTTP status, and this authenticationResultCode where one is given.

    `documented` is a status that the documents have instead.
    """

    def judge(record: Recording) -> Iterator[Observation]:
        for each in record.of(*purposes):
            envelope = record.envelope_of(each)
            told = None if envelope is None else envelope.code
            shows = each.status_line + (f", {told}" if code else "")
            if documented and each.status == documented != status:
                wrong = f"HTTP {documented}, which the documents name; the contract has {status}"
                yield Observation(each, shows, wrong, documented=True)
            elif each.status != status:
                yield Observation(each, shows, f"the status should be {status}")
            elif code is not None and told != code:
                yield Observation(each, shows, f"the authenticationResultCode should be {code}")
            else:
                yield Observation(each, shows)

    return judge


def finds_nothing(*purposes: Purpose) -> Check:
    """Answers are 404; 400, which the documents have, where the endpoint says it of every job that is not there."""

    def judge(record: Recording) -> Iterator[Observation | Skip]:
        of_no_job = {each.status for each in record.of(Purpose.NO_JOB)}
        documented = 400 if of_no_job == {400} else 0
        return iter(expects(*purposes, status=404, documented=documented)(record))

    return judge


def succeeds(*purposes: Purpose) -> Check:
    """Answers are 200, an envelope, and in the format that was asked for."""

    def judge(record: Recording) -> Iterator[Observation]:
        for each in record.of(*purposes):
            envelope = record.envelope_of(each)
            asked = each.ask.format
            wrong = ""
            if each.status != 200:  # noqa: PLR2004 - what else
                wrong = "the status should be 200"
            elif envelope is None or envelope.format is not asked:
                wrong = f"the answer should be {asked.upper()}"
            yield Observation(each, f"{code_is(each, envelope)}, {each.header('content-type')}", wrong)

    return judge


def finds(*purposes: Purpose, shows_id: bool = True) -> Check:
    """Answers are 200 and of the job that was asked for, its id as it is stored."""

    def judge(record: Recording) -> Iterator[Observation]:
        for each in record.of(*purposes):
            subject, envelope = each.ask.subject, record.envelope_of(each)
            job = envelope.jobs[0] if envelope is not None and envelope.jobs else None
            if each.status != 200 or job is None:  # noqa: PLR2004 - what else
                yield Observation(each, each.status_line, "the job should be found")
            elif subject is not None and subject.id and shows_id:
                yield Observation(
                    each, job.shows("id"), "" if job.id == subject.id else f"the id should be {subject.id}"
                )
            else:
                yield Observation(each, job.shows("id"))

    return judge


def envelopes(
    wrong: Callable[[ParsedEnvelope], tuple[str, str]], *purposes: Purpose, form: AskedFormat | None = None
) -> Check:
    """Every readable answer; the function gives what shows it, and what is wrong."""

    def judge(record: Recording) -> Iterator[Observation]:
        for each in record.envelopes(*purposes, form=form):
            yield Observation(each.exchange, *wrong(each))

    return judge


def bodies(pattern: bytes, wrong: str, form: AskedFormat, *, must: bool = False) -> Check:
    """A pattern that no answer of a format may have in its body, or that each must have."""
    compiled = re.compile(pattern)

    def judge(record: Recording) -> Iterator[Observation]:
        known: dict[int, re.Match[bytes] | None] = {}  # by body, which long lists share
        for each in record.envelopes(form=form):
            body = each.exchange.body
            if id(body) not in known:
                known[id(body)] = compiled.search(body)
            found = known[id(body)]
            place = (0, 60) if found is None else (max(0, found.start() - AROUND), found.end() + AROUND)
            yield Observation(each.exchange, place, wrong if (found is None) is must else "")

    return judge


STATUS = (Purpose.STATUS, Purpose.DOWNLOAD)
LISTS = (Purpose.LIST, Purpose.LIST_AGAIN, Purpose.LIST_QUERY_KEY)
JOBS = (*STATUS, *LISTS, Purpose.STATUS_CASE, Purpose.STATUS_SELF, Purpose.DOWNLOAD_ID, Purpose.DOWNLOAD_CASE)


def jobs(
    wrong: Callable[[ParsedJob], tuple[str, str] | None], *purposes: Purpose, form: AskedFormat | None = None
) -> Check:
    """Every job of these answers, or of all; the function gives None for a job that a rule is not about."""

    def judge(record: Recording) -> Iterator[Observation]:
        for job in record.jobs(*(purposes or JOBS), form=form):
            if (found := wrong(job)) is not None:
                yield Observation(job.exchange, *found)

    return judge


def pairs(record: Recording, *purposes: Purpose) -> Iterator[tuple[ParsedJob, ParsedJob]]:
    """The same job in JSON and in XML, where it was in the same state both times."""
    in_json = {(job.exchange.ask.path, job.id): job for job in record.jobs(*purposes, form=AskedFormat.JSON)}
    for job in record.jobs(*purposes, form=AskedFormat.XML):
        other = in_json.get((job.exchange.ask.path, job.id))
        if other is not None and (other.status == job.status or "Pending" not in {other.status, job.status}):
            yield other, job


def in_order(names: Iterable[str], order: tuple[str, ...]) -> str:
    """What is wrong with the order of names of which some may be missing; empty if nothing is."""
    found = tuple(names)
    unknown = [name for name in found if name not in order]
    if unknown:
        return f"{unknown[0]} is no name of the contract"
    places = [order.index(name) for name in found]
    return "" if places == sorted(places) else "the order should be " + ", ".join(order)


def type_of(job: ParsedJob) -> str:
    """The job's type: what a status was asked for, or what the list tells."""
    subject = job.exchange.ask.subject
    return subject.job_type if subject is not None else job.text("description") or ""


def parts_of(url: str) -> SplitResult:
    """The parts of a URL, all empty where it is none."""
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", "", "", "")


def code_is(exchange: Exchange, envelope: ParsedEnvelope | None) -> str:
    """Status and code, as a text to show."""
    return f"{exchange.status_line}, {None if envelope is None else envelope.code}"
