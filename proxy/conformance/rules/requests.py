"""Section 1: what clients may request, and how."""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from proxy.conformance.contract import GEOCODE, JOBS, LOAD, ROLLBACK, STATUS_PATHS, StatusPath
from proxy.conformance.exchange import Exchange, Purpose
from proxy.conformance.parsed import ParsedJob
from proxy.conformance.recording import Recording
from proxy.conformance.rule import Check, Observation, Skip, rule
from proxy.conformance.rules import checks
from proxy.conformance.rules.checks import add, expects, finds, finds_nothing, joined, succeeds, whole

P = Purpose


def _status_under(path: StatusPath) -> Check:
    """The status of each job of one kind is found."""

    def check(recording: Recording) -> Iterator[Observation | Skip]:
        for each in finds(P.STATUS)(recording):
            job = each.exchange.request.job if isinstance(each, Observation) else None
            if job is not None and STATUS_PATHS[job.job_type] is path:
                yield each

    return check


def _output(purpose: Purpose) -> Check:
    """An output is a redirect or bytes. It may have expired, unless a link still leads to it."""

    def check(recording: Recording) -> Iterator[Observation | Skip]:
        is_there = any(each.status in {200, 206} for each in recording.of(P.LINK_APPENDED, P.LOCATION))
        for each in expects(purpose, status=checks.FOUND, documented=checks.OK)(recording):
            is_gone = isinstance(each, Observation) and re.fullmatch("HTTP 404.*, ValidCredentials", str(each.shows))
            yield Skip("HTTP 404: the output may have expired") if is_gone and not is_there else each

    return check


add("1.job-list", "ListJobs is answered, in both formats.", succeeds(P.LIST))
add("1.load-status", "A load job is found under LoadDataSource.", _status_under(LOAD))
add("1.geocode-status", "A geocode job is found under Geocode.", _status_under(GEOCODE))
add("1.rollback-status", "A rollback job is found under DataSourceRollback.", _status_under(ROLLBACK))
add(
    "1.service-status", "A publish, delete or access job is found under data/jobs/{id}/$getstatus.", _status_under(JOBS)
)


@rule("1.download-status", "A download job is found under DataSourceDownload by its data source's name.", whole)
def _download_status(recording: Recording) -> Iterator[Observation]:
    for each in finds(P.DOWNLOAD)(recording):
        # Most data sources have no download job.
        if isinstance(each, Observation) and each.exchange.status != checks.NOT_FOUND:
            yield each


@rule("1.path-case", "Letter case changes nothing in a path.", whole)
def _path_case(recording: Recording) -> Iterator[Observation | Skip]:
    yield from succeeds(P.LIST_CASE)(recording)
    yield from finds(P.STATUS_CASE, shows_id=False)(recording)
    documented = {each.request.job: each for each in recording.of(P.OUTPUT)}
    for each in recording.of(P.OUTPUT_CASE):
        other = documented.get(each.request.job, each)
        wrong = "" if each.status == other.status else f"in the documented letter case: {other.status_line}"
        yield Observation(each, each.status_line, wrong)


add("1.parameter-case", "Letter case changes nothing in a parameter's name.", succeeds(P.LIST_PARAMETER_CASE))
add("1.value-case", "Letter case changes nothing in the value of output.", succeeds(P.LIST_VALUE_CASE))
add("1.key-name-case", "Letter case changes nothing in the name of key.", succeeds(P.LIST_KEY_NAME))
add(
    "1.key-case",
    "The key itself is case-sensitive.",
    expects(P.OTHER_CASE_KEY, status=401, code="InvalidCredentials"),
    "the key has no letters",
)
add("1.id-case", "A job id matches in any letter case, and is shown as stored.", finds(P.STATUS_CASE))
add("1.name-case", "A data source name matches in any letter case.", finds(P.DOWNLOAD_CASE))


@rule("1.name-shown", "A data source name is shown in its stored letter case.", whole)
def _name_shown(recording: Recording) -> Iterator[Observation]:
    by_name = {link.url for job in recording.jobs(P.DOWNLOAD) for link in job.links[:1]}
    for job in recording.jobs(P.DOWNLOAD_CASE, P.DOWNLOAD_ENCODED):
        for link in job.links[:1]:
            wrong = "" if link.url in by_name else "the name should be shown as it is stored"
            yield Observation(job.exchange, link.url, wrong)


add(
    "1.output-default",
    "Without output the answer is JSON, whatever Accept says; an empty one means the same.",
    succeeds(P.LIST_AGAIN, P.LIST_EMPTY_OUTPUT, P.LIST_ACCEPT),
)
add("1.output", "output chooses the format.", succeeds(P.LIST_OUTPUT))
add("1.output-alias", "o is output.", succeeds(P.LIST_ALIAS))
add("1.output-first", "The first output that is given counts.", succeeds(P.LIST_FIRST_OUTPUT))
add("1.output-other", "Any other output is 400.", expects(P.BAD_OUTPUT, status=400))
add("1.slash", "A slash at a path's end changes nothing.", joined(succeeds(P.LIST_SLASH), finds(P.STATUS_SLASH)))
add("1.upgrade", "An Upgrade header changes nothing.", succeeds(P.LIST_UPGRADE))
add("1.unknown-parameters", "Unknown parameters are ignored.", succeeds(P.LIST_UNKNOWN_PARAMETER))
add(
    "1.name-length",
    "A data source name of 51 characters is 400, one of 50 is not.",
    joined(expects(P.NAME_TOO_LONG, status=400), finds_nothing(P.NAME_LONGEST)),
)
add("1.name-other", "A data source name of other characters is 400.", expects(P.NAME_BAD, status=400))
add(
    "1.name-characters",
    "A data source name may have ~ ` ! $ ^ _ = { }, percent-encoded or not.",
    finds_nothing(P.NAME_ENCODED, P.NAME_RAW),
)
add("1.name-hyphen", "A data source name may have hyphens.", expects(P.NAME_HYPHEN, status=404, documented=400))
add("1.name-encoded", "A name whose letters are percent-encoded is the same.", finds(P.DOWNLOAD_ENCODED))
add("1.odd-id", "An odd job id is simply not found.", finds_nothing(P.ODD_ID))
add("1.download-id", "A download job is found by its id too.", finds(P.DOWNLOAD_ID))


def _has_last_segment(job: ParsedJob, wanted: str) -> bool | None:
    """Whether the self link of a download ends in this name or id."""
    return unquote(job.links[0].url.rpartition("/")[2]).lower() == wanted.lower() if job.links else None


rule("1.download-by-name", "By name, a download's self link has the name.", checks.jobs("self", among=(P.DOWNLOAD,)))(
    lambda job: _has_last_segment(job, job.requested.name) if job.requested else None
)
rule("1.download-by-id", "By id, a download's self link has the id.", checks.jobs("self", among=(P.DOWNLOAD_ID,)))(
    lambda job: _has_last_segment(job, job.id)
)
add("1.output-kind", "An output is found under its job's kind.", _output(P.OUTPUT))
add("1.output-listed", "An output is found under ListJobs.", _output(P.OUTPUT_LISTED))
add("1.output-download", "A download's output is found under Download.", _output(P.OUTPUT_DOWNLOAD))
add("1.wrong-kind", "A job under another kind is not found.", finds_nothing(P.STATUS_WRONG_KIND))


@rule("1.head", "HEAD answers as GET does.", whole)
def _head(recording: Recording) -> Iterator[Observation]:
    def identity(exchange: Exchange) -> tuple[object, ...]:
        return exchange.request.path, exchange.request.query, exchange.request.key

    by_get = {identity(each): each for each in reversed(recording.exchanges) if each.request.method == "GET"}
    for each in recording.of(P.HEAD, P.HEAD_OUTPUT):
        got = by_get.get(identity(each))
        if got is not None and not got.failure:
            is_same = (each.status, each.header("content-type")) == (got.status, got.header("content-type"))
            yield Observation(each, each.show("content-type"), "" if is_same else f"GET: {got.show('content-type')}")


rule("1.head-body", "HEAD has no body.", checks.exchanges(among=(P.HEAD, P.HEAD_OUTPUT)))(
    lambda exchange: f"{len(exchange.body)} bytes follow the head" if exchange.body else ""
)
