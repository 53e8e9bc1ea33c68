"""Section 6: the job list."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from urllib.parse import unquote

from proxy.conformance import contract
from proxy.conformance.dates import read_json_date, read_xml_date
from proxy.conformance.exchange import AskedFormat, Purpose
from proxy.conformance.parsed import ParsedJob, ParsedLink
from proxy.conformance.recording import Recording
from proxy.conformance.rule import Observation, Rule, Skip
from proxy.conformance.rules.checks import LISTS, NO_JOB, expects, finds, jobs, succeeds

NO_QUERY_KEY = "no query key was given"
CHANGED = "the list changed while it was asked for"
SLACK = timedelta(minutes=10)
_UNLINKED = frozenset(contract.KINDS) - {contract.GEOCODE_JOB, contract.ACCESS_JOB}
_SAME = ("createdDate", "completedDate", "errorMessage", "status", *contract.COUNTS)


def _type(job: ParsedJob) -> tuple[str, str]:
    wrong = "" if job.text("description") in contract.KINDS else "it should be a job type of get-job-list"
    return job.shows("description"), wrong


def _no_download(job: ParsedJob) -> tuple[str, str]:
    wrong = "download jobs should be left out" if job.text("description") == contract.DOWNLOAD_JOB else ""
    return job.shows("description"), wrong


def _name(job: ParsedJob) -> tuple[str, str]:
    is_geocode = job.text("description") == contract.GEOCODE_JOB
    wrong = "a geocode job should have no name" if is_geocode and "name" in job.values else ""
    return job.shows("description", "name"), wrong


def _named(record: Recording) -> Iterator[Observation | Skip]:
    """A job but a geocode job has a name; what is stored may have none, unless a link of the job tells it."""
    told = {job.id: unquote(link.url.rpartition("/")[2]) for job in record.jobs() for link in _services(job)}
    for job in record.jobs(Purpose.LIST):
        if job.text("description") == contract.GEOCODE_JOB:
            continue
        if job.text("name") or job.id in told:
            wrong = "" if job.text("name") else f"it should be {told[job.id]}, as its link has it"
            yield Observation(job.exchange, job.shows("description", "name"), wrong)
        else:
            yield Skip("a job has no name: what is stored may not name its data source")


def _services(job: ParsedJob) -> list[ParsedLink]:
    return [link for link in job.links if link.called in {contract.DOCUMENTED_SERVICE, contract.SAMPLE_SERVICE}]


def _window(record: Recording) -> Iterator[Observation]:
    since = record.asked_at - timedelta(days=contract.WINDOW_DAYS) - SLACK
    for job in record.jobs(*LISTS, form=AskedFormat.JSON):
        created = read_json_date(job.text("createdDate"))
        if created is not None:
            yield Observation(
                job.exchange, job.shows("createdDate"), "" if created >= since else "it is older than 15 days"
            )


def _pending_first(record: Recording) -> Iterator[Observation]:
    for each in record.envelopes(*LISTS):
        states = [job.status == "Pending" for job in each.jobs]
        if states:
            sound = states == sorted(states, reverse=True)
            shown = ", ".join(job.status for job in each.jobs[:12])
            yield Observation(each.exchange, shown, "" if sound else "a Pending job stands behind one that is not")


def _newest_first(record: Recording) -> Iterator[Observation]:
    for each in record.envelopes(*LISTS):
        for is_pending in (True, False):
            group = [job for job in each.jobs if (job.status == "Pending") is is_pending]
            for job, following in pairwise(group):
                one, other = _moment(job), _moment(following)
                if one is not None and other is not None:
                    shown = f"{job.shows('createdDate')}, then {following.shows('createdDate')}"
                    yield Observation(each.exchange, shown, "" if one >= other else "the newer one should come first")


def _moment(job: ParsedJob) -> tuple[float, str] | None:
    text = job.text("createdDate")
    if job.exchange.ask.format is AskedFormat.JSON:
        found = read_json_date(text)
        return None if found is None else (found.timestamp(), "")
    moment = read_xml_date(text)
    return None if moment is None else (moment.order[0].timestamp(), moment.order[1])


def _total(record: Recording) -> Iterator[Observation | Skip]:
    for each in record.envelopes(*LISTS):
        for found in each.sets:
            shown = f"estimatedTotal {found.total}, {len(found.jobs)} jobs"
            if isinstance(found.total, int) and found.total > len(found.jobs):
                wrong = "an estimate, as the documents have it; the contract has the number of jobs"
                yield Observation(each.exchange, shown, wrong, documented=True)
            else:
                yield Observation(
                    each.exchange, shown, "" if found.total == len(found.jobs) else "they should be the same"
                )


def _once(record: Recording) -> Iterator[Observation]:
    for each in record.envelopes(*LISTS):
        times = Counter(job.id for job in each.jobs)
        for job in each.jobs[:1]:
            (most, count), *_ = times.most_common(1)
            wrong = "it should be listed once" if count > 1 else ""
            yield Observation(job.exchange, f"{most}: {count}", "a job has no id" if "" in times else wrong)


def _unlinked(job: ParsedJob) -> tuple[str, str] | None:
    if job.text("description") not in _UNLINKED:
        return None
    shown = f"{job.shows('description')}: {len(job.links)} links"
    wrong = "it should have no links in the list" if job.links or "links" in job.values else ""
    return shown, wrong


def _geocode(job: ParsedJob) -> tuple[str, str] | None:
    if job.text("description") != contract.GEOCODE_JOB:
        return None
    called = [link.called for link in job.links]
    sound = called[:1] == [contract.SELF] and set(called[1:]) <= {contract.SUCCEEDED, contract.FAILED}
    return f"{called}", "" if sound else "it should have self, then its outputs"


def _access(job: ParsedJob) -> tuple[str, str] | None:
    if job.text("description") != contract.ACCESS_JOB:
        return None
    called = [link.called for link in job.links]
    may = [[], [contract.SAMPLE_SERVICE]] if job.status == "Completed" else [[]]
    return f"{called}", "" if called in may else "it should have dataSource alone, and when it is Completed"


def _query_key(record: Recording) -> Iterator[Observation | Skip]:
    ids = {job.id for job in record.listed()}
    for job in record.jobs(Purpose.LIST_QUERY_KEY):
        if record.is_steady:
            yield Observation(
                job.exchange, job.shows("id"), "" if job.id in ids else "the master key's list has no such job"
            )
        else:
            yield Skip(CHANGED)


def _told(job: ParsedJob) -> tuple[str, ...]:
    # The list's page prints a name with a space behind it in one format.
    return job.id, job.status, job.resource_type, (job.text("name") or "").strip(), job.text("description") or ""


def _formats_agree(record: Recording) -> Iterator[Observation | Skip]:
    if not record.is_steady:
        yield Skip(CHANGED)
        return
    told = [[_told(job) for job in record.listed(form)] for form in (AskedFormat.JSON, AskedFormat.XML)]
    for each in record.envelopes(Purpose.LIST, form=AskedFormat.XML):
        wrong = "" if told[0] == told[1] else f"JSON has {len(told[0])} jobs, or has them otherwise"
        yield Observation(each.exchange, f"{len(told[1])} jobs", wrong)


def _status_agrees(record: Recording) -> Iterator[Observation]:
    """The list and the status tell the same of a job that had ended before."""
    listed = {(form, job.id): job for form in AskedFormat for job in record.listed(form)}
    for job in record.jobs(Purpose.STATUS):
        other = listed.get((job.exchange.ask.format, job.id))
        if other is not None and other.status != "Pending":
            # Where a DataServiceJob has no counts in the list, there is nothing to compare.
            both = job.values.keys() & other.values.keys()
            names = [name for name in _SAME if name in both or name not in contract.COUNTS]
            odd = [name for name in names if job.values.get(name) != other.values.get(name)]
            yield Observation(
                job.exchange, job.shows(*(odd or ["status"])), f"the list has {other.shows(*odd)}" if odd else ""
            )


_LISTED = {
    contract.GEOCODE_JOB: {contract.SUCCEEDED, contract.FAILED},
    contract.ACCESS_JOB: {contract.SAMPLE_SERVICE},
}


def _links_agree(record: Recording) -> Iterator[Observation]:
    told = {(job.exchange.ask.format, job.id): job for job in record.jobs(Purpose.STATUS)}
    for job in record.jobs(Purpose.LIST):
        status = told.get((job.exchange.ask.format, job.id))
        listed = _LISTED.get(job.text("description") or "")
        if listed and status is not None and status.status == job.status:
            linked = [link.called for link in job.links]
            missing = [link.called for link in status.links if link.called in listed - set(linked)]
            shown = f"{job.shows('description')}: {linked}"
            yield Observation(job.exchange, shown, f"its status links to {missing[0]} too" if missing else "")


RULES = (
    Rule("6.description", "A job's description in the list is its job type.", jobs(_type, *LISTS), NO_JOB),
    Rule("6.no-downloads", "Download jobs are left out.", jobs(_no_download, *LISTS), NO_JOB),
    Rule("6.name", "Other jobs than geocode jobs have their data source's name.", _named, "no such job in the list"),
    Rule("6.geocode-name", "A geocode job has no name.", jobs(_name, *LISTS), NO_JOB),
    Rule("6.window", "The list reaches back 15 days.", _window, NO_JOB),
    Rule("6.pending-first", "Pending jobs come first.", _pending_first, NO_JOB),
    Rule(
        "6.newest-first",
        "Pending jobs, and the others, stand newest first.",
        _newest_first,
        "there are no two such jobs",
    ),
    Rule("6.once", "A job is listed once, and has an id.", _once, NO_JOB),
    Rule("6.total", "estimatedTotal is the number of jobs.", _total),
    Rule(
        "6.no-links",
        "Load, rollback, publish and delete jobs have no links.",
        jobs(_unlinked, *LISTS),
        "no such job in the list",
    ),
    Rule(
        "6.geocode-links", "Geocode jobs have self and outputs.", jobs(_geocode, *LISTS), "no geocode job in the list"
    ),
    Rule(
        "6.access-links", "A Completed access job has dataSource.", jobs(_access, *LISTS), "no access job in the list"
    ),
    Rule(
        "6.links-agree",
        "The list has a geocode job's outputs, and an access job's data source, where its status has them.",
        _links_agree,
        "no geocode or access job in the list",
    ),
    Rule("6.query-key", "A query key may list.", succeeds(Purpose.LIST_QUERY_KEY), NO_QUERY_KEY),
    Rule(
        "6.query-key-jobs",
        "It lists no job that the master key does not.",
        _query_key,
        NO_QUERY_KEY + ", or its list is empty",
    ),
    Rule(
        "6.query-key-geocode",
        "It follows geocode jobs.",
        finds(Purpose.QUERY_KEY_GEOCODE),
        NO_QUERY_KEY + ", or no geocode job is in the list",
    ),
    Rule(
        "6.query-key-information",
        "It reads the information of data sources.",
        expects(Purpose.QUERY_KEY_INFORMATION, status=200),
        NO_QUERY_KEY,
    ),
    Rule("6.formats-agree", "JSON and XML list the same jobs in the same order.", _formats_agree),
    Rule(
        "6.status-agrees",
        "The list and the status tell the same of a finished job.",
        _status_agrees,
        "no finished job in the list",
    ),
)
