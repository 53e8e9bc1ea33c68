"""Section 1: what may be asked for, and how."""

from collections.abc import Iterator
from urllib.parse import unquote

from proxy.conformance.contract import GEOCODE, JOBS, KINDS, LOAD, ROLLBACK, StatusPath
from proxy.conformance.exchange import Purpose
from proxy.conformance.recording import Recording
from proxy.conformance.rule import Check, Observation, Rule, Skip
from proxy.conformance.rules.checks import NO_JOB, expects, finds, finds_nothing, succeeds

NO_DOWNLOAD = "no data source of the list has a download job"
NO_OUTPUT = "no job that was asked for has an output"
OK, FOUND, BAD, UNKNOWN = 200, 302, 400, 404
GIVEN, GONE = (200, 206), (404, "ValidCredentials")


def _of_kind(kind: StatusPath) -> Check:
    """Status answers of one kind of URL: found, and of the job that was asked for."""
    found = finds(Purpose.STATUS)

    def judge(record: Recording) -> Iterator[Observation]:
        for each in found(record):
            if (
                isinstance(each, Observation)
                and (subject := each.exchange.ask.subject)
                and KINDS[subject.job_type] is kind
            ):
                yield each

    return judge


def _names_stay(record: Recording) -> Iterator[Observation]:
    by_name = {link.url for job in record.jobs(Purpose.DOWNLOAD) for link in job.links[:1]}
    for job in record.jobs(Purpose.DOWNLOAD_CASE, Purpose.DOWNLOAD_ENCODED):
        for link in job.links[:1]:
            yield Observation(
                job.exchange, link.url, "" if link.url in by_name else "the name should be shown as it is stored"
            )


def _download_by_name(record: Recording) -> Iterator[Observation]:
    for job in record.jobs(Purpose.DOWNLOAD):
        subject, link = job.exchange.ask.subject, next(iter(job.links), None)
        if subject is not None and link is not None:
            ends = unquote(link.url.rpartition("/")[2]).lower()
            yield Observation(job.exchange, link.url, "" if ends == subject.name.lower() else "it should have the name")


def _download_by_id(record: Recording) -> Iterator[Observation]:
    for job in record.jobs(Purpose.DOWNLOAD_ID):
        for link in job.links[:1]:
            ends = unquote(link.url.rpartition("/")[2])
            yield Observation(job.exchange, link.url, "" if ends == job.id else "it should have the id")


def _is_followed(record: Recording) -> Iterator[Observation]:
    for each in record.of(Purpose.HEAD, Purpose.HEAD_OUTPUT):
        got = next(
            (
                other
                for other in record.exchanges
                if (other.ask.method, other.ask.path, other.ask.query, other.ask.key)
                == ("GET", each.ask.path, each.ask.query, each.ask.key)
            ),
            None,
        )
        if got is None or got.failure:
            continue
        same = each.status == got.status and each.header("content-type") == got.header("content-type")
        yield Observation(
            each, f"{each.status_line}, {each.header('content-type')}", "" if same else f"GET: {got.status_line}"
        )


def _has_no_body(record: Recording) -> Iterator[Observation]:
    for each in record.of(Purpose.HEAD, Purpose.HEAD_OUTPUT):
        yield Observation(each, f"{len(each.body)} bytes after the head", "there should be none" if each.body else "")


def _output_case(record: Recording) -> Iterator[Observation]:
    documented = {each.ask.subject: each for each in record.of(Purpose.OUTPUT)}
    for each in record.of(Purpose.OUTPUT_CASE):
        other = documented.get(each.ask.subject)
        if other is not None:
            wrong = "" if each.status == other.status else f"in the documented letter case: {other.status_line}"
            yield Observation(each, each.status_line, wrong)


def _output(purpose: Purpose) -> Check:
    """An output is a redirect, or bytes; or is said to be gone, as long as no link shows that it is there."""
    redirects = expects(purpose, status=FOUND, documented=OK)

    def judge(record: Recording) -> Iterator[Observation | Skip]:
        given = any(each.status in GIVEN for each in record.of(Purpose.LINK_APPENDED, Purpose.LOCATION))
        for each in redirects(record):
            envelope = record.envelope_of(each.exchange) if isinstance(each, Observation) else None
            says_gone = envelope is not None and (envelope.exchange.status, envelope.code) == GONE
            yield Skip("HTTP 404: the output may have expired") if says_gone and not given else each

    return judge


RULES = (
    Rule("1.job-list", "ListJobs is answered, in both formats.", succeeds(Purpose.LIST)),
    Rule("1.load-status", "A load job is found under LoadDataSource.", _of_kind(LOAD), "no load job in the list"),
    Rule("1.geocode-status", "A geocode job is found under Geocode.", _of_kind(GEOCODE), "no geocode job in the list"),
    Rule(
        "1.rollback-status",
        "A rollback job is found under DataSourceRollback.",
        _of_kind(ROLLBACK),
        "no rollback job in the list",
    ),
    Rule(
        "1.service-status",
        "A publish, delete or access job is found under data/jobs/{id}/$getstatus.",
        _of_kind(JOBS),
        "no publish, delete or access job in the list",
    ),
    Rule(
        "1.download-status",
        "A download job is found under DataSourceDownload by its data source's name.",
        lambda record: (each for each in finds(Purpose.DOWNLOAD)(record) if _was_found(each)),
        NO_DOWNLOAD,
    ),
    Rule(
        "1.path-case",
        "Letter case changes nothing in a path.",
        lambda record: [
            *succeeds(Purpose.LIST_CASE)(record),
            *finds(Purpose.STATUS_CASE, shows_id=False)(record),
            *_output_case(record),
        ],
    ),
    Rule(
        "1.parameter-case", "Letter case changes nothing in a parameter's name.", succeeds(Purpose.LIST_PARAMETER_CASE)
    ),
    Rule("1.value-case", "Letter case changes nothing in the value of output.", succeeds(Purpose.LIST_VALUE_CASE)),
    Rule("1.key-name-case", "Letter case changes nothing in the name of key.", succeeds(Purpose.LIST_KEY_NAME)),
    Rule(
        "1.key-case",
        "The key itself is case-sensitive.",
        expects(Purpose.OTHER_CASE_KEY, status=401, code="InvalidCredentials"),
        "the key has no letters",
    ),
    Rule(
        "1.id-case", "A job id matches in any letter case, and is shown as stored.", finds(Purpose.STATUS_CASE), NO_JOB
    ),
    Rule("1.name-case", "A data source name matches in any letter case.", finds(Purpose.DOWNLOAD_CASE), NO_DOWNLOAD),
    Rule("1.name-shown", "A data source name is shown in its stored letter case.", _names_stay, NO_DOWNLOAD),
    Rule(
        "1.output-default",
        "Without output the answer is JSON, whatever Accept says; an empty one means the same.",
        succeeds(Purpose.LIST_AGAIN, Purpose.LIST_EMPTY_OUTPUT, Purpose.LIST_ACCEPT),
    ),
    Rule("1.output", "output chooses the format.", succeeds(Purpose.LIST_OUTPUT)),
    Rule("1.output-alias", "o is output.", succeeds(Purpose.LIST_ALIAS)),
    Rule("1.output-first", "The first output that is given counts.", succeeds(Purpose.LIST_FIRST_OUTPUT)),
    Rule("1.output-other", "Any other output is 400.", expects(Purpose.BAD_OUTPUT, status=BAD)),
    Rule(
        "1.slash",
        "A slash at a path's end changes nothing.",
        lambda record: [*succeeds(Purpose.LIST_SLASH)(record), *finds(Purpose.STATUS_SLASH)(record)],
    ),
    Rule("1.upgrade", "An Upgrade header changes nothing.", succeeds(Purpose.LIST_UPGRADE)),
    Rule("1.unknown-parameters", "Unknown parameters are ignored.", succeeds(Purpose.LIST_UNKNOWN_PARAMETER)),
    Rule(
        "1.name-length",
        "A data source name of 51 characters is 400, one of 50 is not.",
        lambda record: [
            *expects(Purpose.NAME_TOO_LONG, status=BAD)(record),
            *finds_nothing(Purpose.NAME_LONGEST)(record),
        ],
    ),
    Rule("1.name-other", "A data source name of other characters is 400.", expects(Purpose.NAME_BAD, status=BAD)),
    Rule(
        "1.name-characters",
        "A data source name may have ~ ` ! $ ^ _ = { }, percent-encoded or not.",
        finds_nothing(Purpose.NAME_ENCODED, Purpose.NAME_RAW),
    ),
    Rule(
        "1.name-hyphen",
        "A data source name may have hyphens.",
        expects(Purpose.NAME_HYPHEN, status=UNKNOWN, documented=BAD),
    ),
    Rule(
        "1.name-encoded",
        "A name whose letters are percent-encoded is the same.",
        finds(Purpose.DOWNLOAD_ENCODED),
        NO_DOWNLOAD,
    ),
    Rule("1.odd-id", "An odd job id is simply not found.", finds_nothing(Purpose.ODD_ID)),
    Rule("1.download-by-name", "By name, a download's self link has the name.", _download_by_name, NO_DOWNLOAD),
    Rule("1.download-id", "A download job is found by its id too.", finds(Purpose.DOWNLOAD_ID), NO_DOWNLOAD),
    Rule("1.download-by-id", "By id, a download's self link has the id.", _download_by_id, NO_DOWNLOAD),
    Rule(
        "1.output-kind",
        "An output is found under its job's kind.",
        _output(Purpose.OUTPUT),
        NO_OUTPUT,
    ),
    Rule(
        "1.output-listed",
        "An output is found under ListJobs.",
        _output(Purpose.OUTPUT_LISTED),
        NO_OUTPUT,
    ),
    Rule(
        "1.output-download",
        "A download's output is found under Download.",
        _output(Purpose.OUTPUT_DOWNLOAD),
        "there is no download job with an output",
    ),
    Rule(
        "1.wrong-kind",
        "A job under another kind is not found.",
        finds_nothing(Purpose.STATUS_WRONG_KIND),
        NO_JOB,
    ),
    Rule("1.head", "HEAD answers as GET does.", _is_followed),
    Rule("1.head-body", "HEAD has no body.", _has_no_body),
)


def _was_found(seen: object) -> bool:
    """Not where a data source has no download job: most have none."""
    return isinstance(seen, Observation) and seen.exchange.status != UNKNOWN
