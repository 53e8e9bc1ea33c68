"""Section 6: the job list."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from urllib.parse import unquote

from proxy.comparison.dates import read_json_date, read_xml_date
from proxy.conformance import contract
from proxy.conformance.contract import ACCESS_JOB, COUNTS, GEOCODE_JOB, JSON, STATUS_PATHS, XML, BodyFormat
from proxy.conformance.exchange import Purpose
from proxy.conformance.parsed import ParsedEnvelope, ParsedJob
from proxy.conformance.recording import Recording
from proxy.conformance.rule import Documented, Observation, Skip, rule
from proxy.conformance.rules.checks import LISTS, NO_QUERY_KEY, add, envelopes, expects, finds, jobs, succeeds, whole

CHANGED = "the list changed during the run"
CLOCK_SKEW = timedelta(minutes=10)

rule("6.description", "A job's description in the list is its job type.", jobs("description", among=LISTS))(
    lambda job: job.text("description") in STATUS_PATHS
)
rule("6.no-downloads", "Download jobs are left out.", jobs("description", among=LISTS))(
    lambda job: job.text("description") != contract.DOWNLOAD_JOB
)


@rule("6.name", "Other jobs than geocode jobs have their data source's name.", whole)
def _name(recording: Recording) -> Iterator[Observation | Skip]:
    linked = {
        job.id: unquote(link.url.rpartition("/")[2])
        for job in recording.jobs()
        for link in job.links
        if link.relation in contract.SERVICES
    }
    for job in recording.jobs(Purpose.LIST):
        if job.text("description") == GEOCODE_JOB:
            continue
        if job.text("name") or job.id in linked:
            wrong = "" if job.text("name") else f"it should be {linked[job.id]}, as its link has it"
            yield Observation(job.exchange, job.show("description", "name"), wrong)
        else:
            yield Skip("a job has no name: what is stored may not name its data source")


rule("6.geocode-name", "A geocode job has no name.", jobs("description", "name", among=LISTS))(
    lambda job: job.text("description") != GEOCODE_JOB or "name" not in job.values
)


@rule("6.window", "The list reaches back 15 days.", whole)
def _window(recording: Recording) -> Iterator[Observation]:
    since = recording.started_at - timedelta(days=contract.WINDOW_DAYS) - CLOCK_SKEW
    for job in recording.jobs(*LISTS, form=JSON):
        created = read_json_date(job.text("createdDate"))
        if created is not None:
            wrong = "" if created >= since else "it is older than 15 days"
            yield Observation(job.exchange, job.show("createdDate"), wrong)


@rule("6.pending-first", "Pending jobs come first.", envelopes("statuses", among=LISTS))
def _pending_first(envelope: ParsedEnvelope) -> bool | None:
    is_pending = [job.status == "Pending" for job in envelope.jobs]
    return is_pending == sorted(is_pending, reverse=True) if is_pending else None


@rule("6.newest-first", "Pending jobs, and the others, stand newest first.", whole)
def _newest_first(recording: Recording) -> Iterator[Observation]:
    for envelope in recording.envelopes(*LISTS):
        for is_pending in (True, False):
            group = [job for job in envelope.jobs if (job.status == "Pending") is is_pending]
            for job, following in pairwise(group):
                one, other = _created(job), _created(following)
                if one is not None and other is not None:
                    shows = f"{job.show('createdDate')}, then {following.show('createdDate')}"
                    yield Observation(envelope.exchange, shows, "" if one >= other else "the newer should come first")


def _created(job: ParsedJob) -> tuple[datetime, str] | None:
    """The order key of the created date; JSON has no fraction."""
    if job.exchange.request.format is XML:
        moment = read_xml_date(job.text("createdDate"))
        return None if moment is None else moment.order
    second = read_json_date(job.text("createdDate"))
    return None if second is None else (second, "")


@rule("6.once", "A job is listed once, and has an id.", whole)
def _once(recording: Recording) -> Iterator[Observation]:
    for envelope in recording.envelopes(*LISTS):
        times = Counter(job.id for job in envelope.jobs)
        for job_id, count in times.most_common(1):
            wrong = "it should be listed once" if count > 1 else ""
            yield Observation(envelope.exchange, f"{job_id}: {count}", "a job has no id" if "" in times else wrong)


@rule("6.total", "estimatedTotal is the number of jobs.", envelopes("sets", among=LISTS))
def _total(envelope: ParsedEnvelope) -> str | bool | None:
    totals = [(each.total, len(each.jobs)) for each in envelope.sets]
    if any(isinstance(total, int) and total > count for total, count in totals):
        return Documented("an estimate, as the documents have it; the contract has the number of jobs")
    return all(total == count for total, count in totals) if totals else None


@rule("6.no-links", "Load, rollback, publish and delete jobs have no links.", jobs("description", "links", among=LISTS))
def _no_links(job: ParsedJob) -> bool | None:
    is_linked = bool(job.links) or "links" in job.values
    is_other = job.text("description") in {GEOCODE_JOB, ACCESS_JOB} or job.text("description") not in STATUS_PATHS
    return None if is_other else not is_linked


@rule("6.geocode-links", "Geocode jobs have self and outputs.", jobs("links", among=LISTS))
def _geocode_links(job: ParsedJob) -> bool | None:
    is_right = job.relations[:1] == [contract.SELF] and {*job.relations[1:]} <= {contract.SUCCEEDED, contract.FAILED}
    return is_right if job.text("description") == GEOCODE_JOB else None


@rule("6.access-links", "A Completed access job has dataSource.", jobs("status", "links", among=LISTS))
def _access_links(job: ParsedJob) -> bool | None:
    is_right = not job.relations or (job.status == "Completed" and job.relations == [contract.SAMPLE_SERVICE])
    return is_right if job.text("description") == ACCESS_JOB else None


_LISTED_LINKS = {GEOCODE_JOB: {contract.SUCCEEDED, contract.FAILED}, ACCESS_JOB: {contract.SAMPLE_SERVICE}}


@rule(
    "6.links-agree",
    "The list has a geocode job's outputs, and an access job's data source, where its status has them.",
    whole,
)
def _links_agree(recording: Recording) -> Iterator[Observation]:
    by_status = {(job.exchange.request.format, job.id): job for job in recording.jobs(Purpose.STATUS)}
    for job in recording.jobs(Purpose.LIST):
        status = by_status.get((job.exchange.request.format, job.id))
        listed = _LISTED_LINKS.get(job.text("description"))
        if listed and status is not None and status.status == job.status:
            missing = [each for each in status.relations if each in listed - set(job.relations)]
            wrong = f"its status links to {missing[0]} too" if missing else ""
            yield Observation(job.exchange, job.show("description", "links"), wrong)


add("6.query-key", "A query key may list.", succeeds(Purpose.LIST_QUERY_KEY), NO_QUERY_KEY)


@rule("6.query-key-jobs", "It lists no job that the master key does not.", whole, NO_QUERY_KEY)
def _query_key_jobs(recording: Recording) -> Iterator[Observation | Skip]:
    ids = {job.id for job in recording.listed()}
    for job in recording.jobs(Purpose.LIST_QUERY_KEY):
        if recording.is_steady:
            wrong = "" if job.id in ids else "the master key's list has no such job"
            yield Observation(job.exchange, job.show("id"), wrong)
        else:
            yield Skip(CHANGED)


add("6.query-key-geocode", "It follows geocode jobs.", finds(Purpose.QUERY_KEY_GEOCODE), NO_QUERY_KEY)
add(
    "6.query-key-information",
    "It reads the information of data sources.",
    expects(Purpose.QUERY_KEY_INFORMATION, status=200),
    NO_QUERY_KEY,
)


@rule("6.formats-agree", "JSON and XML list the same jobs in the same order.", whole)
def _formats_agree(recording: Recording) -> Iterator[Observation | Skip]:
    def listed(form: BodyFormat) -> list[tuple[str, ...]]:
        # The list's page prints a name with a space behind it in one format.
        return [
            (job.id, job.status, job.resource_type, job.text("name").strip(), job.text("description"))
            for job in recording.listed(form)
        ]

    if not recording.is_steady:
        yield Skip(CHANGED)
        return
    in_json, in_xml = listed(JSON), listed(XML)
    for envelope in recording.envelopes(Purpose.LIST, form=XML):
        wrong = "" if in_json == in_xml else f"JSON has {len(in_json)} jobs, or has them otherwise"
        yield Observation(envelope.exchange, f"{len(in_xml)} jobs", wrong)


@rule("6.status-agrees", "The list and the status agree about a finished job.", whole)
def _status_agrees(recording: Recording) -> Iterator[Observation]:
    listed = {(form, job.id): job for form in BodyFormat for job in recording.listed(form)}
    for job in recording.jobs(Purpose.STATUS):
        other = listed.get((job.exchange.request.format, job.id))
        if other is not None and other.status != "Pending":
            # A DataServiceJob of the list has no counts to compare.
            counts = job.values.keys() & other.values.keys() & set(COUNTS)
            names = ["createdDate", "completedDate", "errorMessage", "status", *counts]
            odd = [name for name in names if job.values.get(name) != other.values.get(name)]
            wrong = f"the list has {other.show(*odd)}" if odd else ""
            yield Observation(job.exchange, job.show(*(odd or ["status"])), wrong)
