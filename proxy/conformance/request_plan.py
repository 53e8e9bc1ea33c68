"""The requests of a run: the job list in every way that clients request it, errors, and those about one job."""

import re
from collections.abc import Iterator
from dataclasses import replace

from proxy.conformance.contract import GEOCODE, GEOCODE_JOB, JSON, LOAD, STATUS_PATHS, STATUSES, XML, StatusPath
from proxy.conformance.exchange import JobUnderTest, KeyChoice, Purpose, Request, segment
from proxy.conformance.parsed import ParsedJob

P = Purpose
LIST = "Dataflows/ListJobs"
DOWNLOADS = "Dataflows/DataSourceDownload/"
NO_ID = "00000000000000000000000000000000"
NO_JOB = f"Dataflows/LoadDataSource/{NO_ID}"
UPGRADE = (("Connection", "Upgrade, HTTP2-Settings, close"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABk"))
RANGE = (("Range", "bytes=0-63"),)
STAND_IN = "?key=stand-in-for-the-key"
_XML = re.compile("(?i)o(?:utput)?=xml")


def with_queries(request: Request, *queries: str) -> Iterator[Request]:
    """The request with each query; the first output of a query decides the format."""
    for query in queries:
        yield replace(request, query=query, format=XML if _XML.match(query) else JSON)


FIRST = Request(P.LIST, LIST)
# Query keys may list; this needs a master key, so the answer shows whether each key is what it should be.
WITH_KEY = Request(P.NO_JOB, NO_JOB)
WITH_QUERY_KEY = Request(P.QUERY_KEY_NO_JOB, NO_JOB, key=KeyChoice.QUERY)

LISTS = (
    *with_queries(Request(P.LIST, LIST), "output=xml"),
    Request(P.LIST_AGAIN, LIST),
    Request(P.LIST_CASE, LIST.lower()),
    Request(P.LIST_CASE, LIST.upper()),
    Request(P.LIST_CASE, LIST, root="/rest/V1/"),
    Request(P.LIST_SLASH, LIST + "/"),
    Request(P.LIST_UPGRADE, LIST, headers=UPGRADE),
    *with_queries(Request(P.LIST_OUTPUT, LIST), "output=json", "output=xml"),
    *with_queries(Request(P.LIST_ALIAS, LIST), "o=json", "o=xml"),
    *with_queries(Request(P.LIST_PARAMETER_CASE, LIST), "O=xml", "OutPut=xml"),
    *with_queries(Request(P.LIST_VALUE_CASE, LIST), "o=XML", "output=Json"),
    Request(P.LIST_KEY_NAME, LIST, key_name="KEY"),
    Request(P.LIST_KEY_NAME, LIST, key_name="Key"),
    *with_queries(Request(P.LIST_FIRST_OUTPUT, LIST), "o=xml&output=json", "output=json&o=xml"),
    *with_queries(Request(P.LIST_EMPTY_OUTPUT, LIST), "o=", "output="),
    *with_queries(Request(P.LIST_UNKNOWN_PARAMETER, LIST), "clientApi=SDSClient&nobodyKnows=1"),
    Request(P.LIST_ACCEPT, LIST, headers=(("Accept", "application/xml"),)),
    *with_queries(Request(P.LIST_ACCEPT, LIST, headers=(("Accept", "application/json"),)), "o=xml"),
    *with_queries(Request(P.HEAD, LIST, method="HEAD"), "", "output=xml"),
)
ERRORS = (
    *with_queries(Request(P.BAD_OUTPUT, LIST), "output=pdf", "o=0"),
    *with_queries(Request(P.NO_KEY, LIST, key=KeyChoice.NONE), "", "o=xml"),
    Request(P.NO_KEY, LIST, key=KeyChoice.EMPTY),
    Request(P.NO_KEY, NO_JOB, key=KeyChoice.NONE),
    *with_queries(Request(P.WRONG_KEY, LIST, key=KeyChoice.WRONG), "", "o=xml"),
    Request(P.WRONG_KEY_NO_JOB, NO_JOB, key=KeyChoice.WRONG),
    *with_queries(Request(P.NO_KEY_BAD_OUTPUT, LIST, key=KeyChoice.NONE), "output=pdf"),
    *with_queries(Request(P.NO_KEY_BAD_OUTPUT, LIST, key=KeyChoice.WRONG), "output=pdf"),
    Request(P.HEAD, LIST, method="HEAD", key=KeyChoice.NONE),
    Request(P.HEAD, NO_JOB, method="HEAD"),
    *with_queries(Request(P.NO_JOB, NO_JOB), "o=xml"),
    Request(P.NO_JOB, f"Dataflows/Geocode/{NO_ID}"),
    Request(P.NO_JOB, f"Dataflows/DataSourceRollback/{NO_ID}"),
    Request(P.NO_JOB, f"{DOWNLOADS}NoSuchSource0"),
    Request(P.NO_JOB, f"data/jobs/{NO_ID}/$getstatus"),
    Request(P.NO_JOB, f"{LIST}/{NO_ID}/output/succeeded"),
    Request(P.ODD_ID, "Dataflows/LoadDataSource/no%20such%20job%3F%20%C3%A9%27%24-."),
    Request(P.ODD_ID, f"Dataflows/Geocode/{'x' * 120}"),
    Request(P.NAME_LONGEST, f"{DOWNLOADS}{'n' * 50}"),
    Request(P.NAME_TOO_LONG, f"{DOWNLOADS}{'n' * 51}"),
    Request(P.NAME_BAD, f"{DOWNLOADS}no.such%20name"),
    Request(P.NAME_ENCODED, f"{DOWNLOADS}No%7E%60%21%24%5E%5F%3D%7B%7DName"),
    Request(P.NAME_RAW, f"{DOWNLOADS}No~`!$^_={{}}Name"),
    Request(P.NAME_HYPHEN, f"{DOWNLOADS}No-Such-Name"),
    Request(P.NO_PATH, "NoSuchPath"),
    *with_queries(Request(P.NO_PATH, "Dataflows/NoSuchKind/x"), "o=xml"),
    # GET of a path that takes POST only; without a key it creates nothing, whatever the endpoint does.
    Request(P.POST_ONLY, "Dataflows/LoadDataSource", key=KeyChoice.NONE),
)


def first_of_each_state(listed: list[ParsedJob]) -> Iterator[JobUnderTest]:
    """The first job of each type in each state."""
    found = dict[tuple[str, str], JobUnderTest]()
    for job in listed:
        if job.job_type in STATUS_PATHS and job.status in STATUSES and job.id:
            found.setdefault(
                (job.job_type, job.status), JobUnderTest(job.id, job.job_type, job.status, job.text("name"))
            )
    yield from found.values()


def preferred(jobs: list[JobUnderTest]) -> Iterator[JobUnderTest]:
    """One job of each kind of URL, a Completed one if possible: its answers don't change during the run."""
    found = dict[StatusPath, JobUnderTest]()
    for job in sorted(jobs, key=lambda job: job.status != "Completed"):
        found.setdefault(job.status_path, job)
    yield from found.values()


def for_job(request: Request, job: JobUnderTest) -> Request:
    """The same request for a job's status, unless it is for the list: same letter case, same parameters."""
    if request.purpose in {P.LIST, P.LIST_AGAIN}:
        return request
    cased = {LIST.lower(): job.path.lower(), LIST.upper(): job.path.upper()}.get(request.path)
    return replace(request, path=cased or job.path + request.path[len(LIST) :], job=job)


def variants(job: JobUnderTest) -> Iterator[Request]:
    """A finished job's status in every way that clients request it, and in wrong ones."""
    wrong = (LOAD if job.status_path is GEOCODE else GEOCODE).path.format(segment(job.id))
    yield Request(P.STATUS_CASE, job.status_path.path.swapcase().format(segment(job.id.swapcase())), job=job)
    yield Request(P.STATUS_SLASH, job.path + "/", job=job)
    yield Request(P.STATUS_WRONG_KIND, wrong, job=job)
    yield Request(P.HEAD, job.path, method="HEAD", job=job)
    if job.status_path is LOAD:
        yield Request(P.WRONG_KEY_KNOWN_JOB, job.path, key=KeyChoice.WRONG, job=job)


def output_requests(path: str, job_id: str, name: str, job: JobUnderTest | None) -> Iterator[Request]:
    """An output below its job's path, and below the list."""
    output = f"/output/{segment(name)}"
    yield Request(P.OUTPUT, path + output, job=job)
    yield Request(P.OUTPUT_CASE, path + output.swapcase(), job=job)
    yield Request(P.OUTPUT_LISTED, f"{LIST}/{segment(job_id)}{output}", job=job)
    yield Request(P.OUTPUT_NO_KEY, path + output, key=KeyChoice.NONE, job=job)
    yield Request(P.HEAD_OUTPUT, path + output, method="HEAD", job=job)


def link_requests(url: str, job: JobUnderTest | None) -> Iterator[Request]:
    """What clients do with a signed link; a made-up value stands for the key."""
    yield Request(P.LINK_APPENDED, url + STAND_IN, headers=RANGE, job=job, is_link=True)
    yield Request(P.LINK_DROPPED, url.partition("#")[0] + STAND_IN, headers=RANGE, job=job, is_link=True)
    yield Request(P.LINK_HEAD, url, method="HEAD", job=job, is_link=True)


def query_key_requests(jobs: list[JobUnderTest]) -> Iterator[Request]:
    """What a query key may do, and what it may not."""
    key = KeyChoice.QUERY
    yield from with_queries(Request(P.LIST_QUERY_KEY, LIST, key=key), "", "o=xml")
    yield Request(P.LIST_AGAIN, LIST)  # whether the list changed since the first request
    yield from with_queries(Request(P.QUERY_KEY_INFORMATION, "data", key=key), "", "$format=json")
    for path in (NO_JOB, f"{LIST}/{NO_ID}"):
        yield Request(P.QUERY_KEY_OUTPUT, path + "/output/succeeded", key=key)
    # Any key may follow geocode jobs; all others need a master key.
    for job in [job for job in jobs if job.job_type == GEOCODE_JOB][:1]:
        yield Request(P.QUERY_KEY_GEOCODE, job.path, key=key, job=job)
    for job in [job for job in jobs if job.job_type != GEOCODE_JOB][:1]:
        yield Request(P.QUERY_KEY_OUTPUT, f"{LIST}/{segment(job.id)}/output/succeeded", key=key, job=job)
        yield from with_queries(Request(P.QUERY_KEY_JOB, job.path, key=key, job=job), "", "o=xml")
