"""What is asked, in which order: the job list, what needs no job, then the jobs that the list or links tell of."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

from proxy.conformance.allowlist import is_read_only
from proxy.conformance.client import BudgetExceededError, Client, Target, UnreachableError
from proxy.conformance.contract import DOWNLOAD, DOWNLOAD_JOB, GEOCODE, GEOCODE_JOB, KINDS, LOAD, STATUSES
from proxy.conformance.exchange import ROOT, Exchange, JobUnderTest, Key, Purpose, Request
from proxy.conformance.parsed import ParsedEnvelope, ParsedJob
from proxy.conformance.parser import read
from proxy.conformance.recording import Recording
from proxy.conformance.refused_keys import judge_keys
from proxy.conformance.request_plan import ERRORS, FIRST, LIST, LISTS, NO_ID, WITH_QUERY_KEY, XML

# Names of data sources that are asked for a download, until one has it; jobs whose outputs are fetched; jobs without a
# link to an output that are asked for one, of which there is one of each type and state.
NAMES = 8
OUTPUTS = 3
UNLINKED = 24
STAND_IN = "?key=stand-in-for-the-key"
RANGE = (("Range", "bytes=0-63"),)


# From so many jobs on, what need not be asked of the job list is asked of a job's status: a list may take seconds.
LONG_LIST = 1_000
OF_THE_LIST = frozenset((Purpose.LIST, Purpose.LIST_AGAIN))


def survey(endpoint: Target, asked: Callable[[], object] = lambda: None) -> Recording:
    """Asks an endpoint for all that rules look at; `asked` is called with each answer.

    Raises:
        UnreachableError: the first request had no answer, or a key is refused.
    """
    asker = Client(endpoint, asked)
    asked_at = datetime.now(UTC)
    stopped = ""
    try:
        first = asker.ask(FIRST)
        if first.failure:
            raise UnreachableError(f"{endpoint.base.url} could not be asked: {first.failure}.")
        judge_keys(asker, endpoint, first)
        _ask_all(asker, endpoint, first)
    except BudgetExceededError as error:
        if not asker.exchanges:
            raise UnreachableError(f"{endpoint.base.url} could not be asked: it ended {error}.") from error
        stopped = str(error)
    scheme, known = endpoint.base.origin.scheme, asker.long_lists.envelopes
    return Recording(tuple(asker.exchanges), asked_at, endpoint.secrets, stopped, scheme, known)


def _ask_all(asker: Client, endpoint: Target, first: Exchange) -> None:
    jobs = _jobs(asker.envelope_of(first))
    subjects = [_subject(job) for job in _one_of_each(jobs)]
    answers = _ask_each(asker, (ask for subject in subjects for ask in _statuses(subject, _path(subject))))
    lists = (*LISTS, *_other_host(endpoint))
    if len(jobs) > LONG_LIST:
        found = {answer.ask.subject for answer in answers if answer.status == HTTPStatus.OK}
        stand_in = next((subject for subject in _preferred(subjects) if subject in found), None)
        lists = tuple(ask if stand_in is None else _of_a_job(ask, stand_in) for ask in lists)
    _ask_each(asker, (*lists, *_other_case(endpoint), *ERRORS))
    _ask_each(asker, (ask for subject in _preferred(subjects) for ask in _variants(subject)))
    _ask_each(asker, _self_links(answers))
    answers += _download(asker, jobs)
    _outputs(asker, answers)
    if endpoint.query_key is not None:
        _ask_each(asker, _by_query_key(subjects))


def _ask_each(asker: Client, asks: Iterable[Request]) -> list[Exchange]:
    """Asks for all that only reads: ids and links come from the endpoint, and some GETs create jobs."""
    return [asker.ask(ask) for ask in asks if ask.is_link or is_read_only(ask.path)]


def _of_a_job(ask: Request, subject: JobUnderTest) -> Request:
    """The same of a job's status, where it need not be the list: in the same letter case, with the same parameters."""
    if ask.purpose in OF_THE_LIST:
        return ask
    path = _path(subject)
    for form in (str.lower, str.upper):
        if ask.path == form(LIST):
            path = form(path)
    return replace(ask, path=path + ask.path[len(LIST) :], subject=subject)


def _jobs(found: ParsedEnvelope | None) -> tuple[ParsedJob, ...]:
    return () if found is None else tuple(job for job in found.jobs if job.text("description") in KINDS and job.id)


def _one_of_each(jobs: tuple[ParsedJob, ...]) -> Iterator[ParsedJob]:
    """The first job of each type in each state."""
    seen = set()
    for job in jobs:
        kind = job.text("description"), job.status
        if kind not in seen and job.status in STATUSES:
            seen.add(kind)
            yield job


def _subject(job: ParsedJob) -> JobUnderTest:
    return JobUnderTest(job.id, job.text("description") or "", job.status, job.text("name") or "")


def _path(subject: JobUnderTest) -> str:
    return KINDS[subject.job_type].path.format(segment(subject.id))


def _statuses(subject: JobUnderTest, path: str, purpose: Purpose = Purpose.STATUS) -> Iterator[Request]:
    yield Request(purpose=purpose, path=path, subject=subject)
    yield Request(purpose=purpose, path=path, query="o=xml", format=XML, subject=subject)


def _preferred(subjects: list[JobUnderTest]) -> Iterator[JobUnderTest]:
    """One finished job of each kind of URL: what is said of it does not change while it is asked for."""
    seen = set()
    for subject in sorted(subjects, key=lambda each: each.status != "Completed"):
        kind = KINDS[subject.job_type]
        if kind not in seen:
            seen.add(kind)
            yield subject


def _variants(subject: JobUnderTest) -> Iterator[Request]:
    path, kind = _path(subject), KINDS[subject.job_type]
    wrong = GEOCODE if kind is not GEOCODE else LOAD
    swapped = kind.path.swapcase().format(segment(subject.id.swapcase()))
    yield Request(purpose=Purpose.STATUS_CASE, path=swapped, subject=subject)
    yield Request(purpose=Purpose.STATUS_SLASH, path=path + "/", subject=subject)
    yield Request(purpose=Purpose.STATUS_WRONG_KIND, path=wrong.path.format(segment(subject.id)), subject=subject)
    yield Request(purpose=Purpose.HEAD, path=path, method="HEAD", subject=subject)
    if kind is LOAD:
        yield Request(purpose=Purpose.WRONG_KEY_KNOWN_JOB, path=path, key=Key.WRONG, subject=subject)


def _self_links(answers: list[Exchange]) -> Iterator[Request]:
    """The first self link of each kind of URL, at the endpoint itself: the key goes to no host that a link names."""
    seen = set()
    for answer in answers:
        subject, job = answer.ask.subject, next(iter(_read_jobs(answer)), None)
        link = next((link for link in job.links if link.role == "self"), None) if job else None
        if link and subject and KINDS[subject.job_type] not in seen:
            seen.add(KINDS[subject.job_type])
            yield Request(purpose=Purpose.STATUS_SELF, path=path_of(link.url), subject=subject)


def _download(asker: Client, jobs: tuple[ParsedJob, ...]) -> list[Exchange]:
    """Asks for downloads by the names in the list; the first one that is found is asked for in every way."""
    # The job list's page prints a name with a space at its end, which no data source has.
    names = list(dict.fromkeys(name for job in jobs if (name := (job.text("name") or "").strip())))
    for name in names[:NAMES]:
        subject = JobUnderTest("", DOWNLOAD_JOB, "", name)
        path = DOWNLOAD.path.format(segment(name))
        by_name = _ask_each(asker, _statuses(subject, path, Purpose.DOWNLOAD))
        found = next((job for each in by_name for job in _read_jobs(each)), None)
        if found is None:
            continue
        known = JobUnderTest(found.id, DOWNLOAD_JOB, found.status, name)
        encoded = DOWNLOAD.path.format("".join(f"%{byte:02X}" for byte in name.encode("utf-8", "replace")))
        by_id = DOWNLOAD.path.format(segment(found.id))
        swapped = DOWNLOAD.path.swapcase().format(segment(name.swapcase()))
        asks = [
            Request(purpose=Purpose.DOWNLOAD_CASE, path=swapped, subject=known),
            Request(purpose=Purpose.DOWNLOAD_ENCODED, path=encoded, subject=known),
            Request(purpose=Purpose.DOWNLOAD_ID, path=by_id, subject=known),
        ]
        if any(link.name == "succeeded" for link in found.links):
            output = f"Dataflows/Download/{segment(name)}/output/succeeded"
            asks.append(Request(purpose=Purpose.OUTPUT_DOWNLOAD, path=output, subject=known))
        _ask_each(asker, asks)
        return by_name
    return []


def _read_jobs(exchange: Exchange) -> tuple[ParsedJob, ...]:
    found = read(exchange)
    return () if found is None else found.jobs


def _outputs(asker: Client, answers: list[Exchange]) -> None:
    """Fetches outputs as clients do: by the link with something appended, and by the URL that they build."""
    fetched, missing, unlinked = 0, list[Request](), 0
    for answer in answers:
        subject, job = answer.ask.subject, next(iter(_read_jobs(answer)), None)
        if answer.ask.format is XML or subject is None or job is None:
            continue
        path = answer.ask.path.rpartition("/$")[0] or answer.ask.path
        own = path.replace("data/jobs/", "Dataflows/ListJobs/")
        if job.status == "Aborted" and not missing:
            missing = [Request(purpose=Purpose.OUTPUT_MISSING, path=f"{own}/output/succeeded", subject=subject)]
            _ask_each(asker, missing)
        link = next((link for link in job.links if link.role == "output"), None)
        output = {"Completed": "succeeded", "Aborted": "failed"}.get(job.status)
        if output and all(link.name != output for link in job.links) and unlinked < UNLINKED:
            unlinked += 1
            _ask_each(asker, [Request(purpose=Purpose.OUTPUT_UNLINKED, path=f"{own}/output/{output}", subject=subject)])
        if link is not None and fetched < OUTPUTS:
            fetched += 1
            listed = f"Dataflows/ListJobs/{segment(job.id)}"
            for answered in _ask_each(asker, _output_asks(own, listed, link.name or "", subject)):
                _follow(asker, answered)
            if link.is_signed:
                _ask_each(asker, _link_asks(link.url, subject))


def _output_asks(own: str, listed: str, name: str, subject: JobUnderTest) -> Iterator[Request]:
    tail = f"/output/{segment(name)}"
    yield Request(purpose=Purpose.OUTPUT, path=own + tail, subject=subject)
    yield Request(purpose=Purpose.OUTPUT_CASE, path=own + tail.swapcase(), subject=subject)
    yield Request(purpose=Purpose.OUTPUT_LISTED, path=listed + tail, subject=subject)
    yield Request(purpose=Purpose.OUTPUT_NO_KEY, path=own + tail, key=Key.NONE, subject=subject)
    yield Request(purpose=Purpose.HEAD_OUTPUT, path=own + tail, method="HEAD", subject=subject)


def _follow(asker: Client, answer: Exchange) -> None:
    location = answer.header("location")
    if answer.ask.purpose is Purpose.OUTPUT and location:
        subject = answer.ask.subject
        asker.ask(Request(purpose=Purpose.LOCATION, path=location, is_link=True, headers=RANGE, subject=subject))


def _link_asks(url: str, subject: JobUnderTest) -> Iterator[Request]:
    """What clients do to a signed link; what stands for the key here is nobody's."""
    appended, dropped = url + STAND_IN, url.partition("#")[0] + STAND_IN
    yield Request(purpose=Purpose.LINK_APPENDED, path=appended, is_link=True, headers=RANGE, subject=subject)
    yield Request(purpose=Purpose.LINK_DROPPED, path=dropped, is_link=True, headers=RANGE, subject=subject)
    yield Request(purpose=Purpose.LINK_HEAD, path=url, is_link=True, method="HEAD", subject=subject)


def _by_query_key(subjects: list[JobUnderTest]) -> Iterator[Request]:
    yield Request(purpose=Purpose.LIST_QUERY_KEY, path=LIST, key=Key.QUERY)
    yield Request(purpose=Purpose.LIST_QUERY_KEY, path=LIST, query="o=xml", format=XML, key=Key.QUERY)
    yield Request(purpose=Purpose.LIST_AGAIN, path=LIST)  # a job may have come since the list was first asked for
    yield Request(purpose=Purpose.QUERY_KEY_INFORMATION, path="data", key=Key.QUERY)
    yield Request(purpose=Purpose.QUERY_KEY_INFORMATION, path="data", query="$format=json", key=Key.QUERY)
    for path in (WITH_QUERY_KEY.path, f"{LIST}/{NO_ID}"):
        yield Request(purpose=Purpose.QUERY_KEY_OUTPUT, path=path + "/output/succeeded", key=Key.QUERY)
    # Geocode jobs are any key's; all others take a master key.
    for subject in [each for each in subjects if each.job_type == GEOCODE_JOB][:1]:
        yield Request(purpose=Purpose.QUERY_KEY_GEOCODE, path=_path(subject), key=Key.QUERY, subject=subject)
    for subject in [each for each in subjects if each.job_type != GEOCODE_JOB][:1]:
        output = f"{LIST}/{segment(subject.id)}/output/succeeded"
        yield Request(purpose=Purpose.QUERY_KEY_OUTPUT, path=output, key=Key.QUERY, subject=subject)
        yield Request(purpose=Purpose.QUERY_KEY_JOB, path=_path(subject), key=Key.QUERY, subject=subject)
        yield Request(
            purpose=Purpose.QUERY_KEY_JOB,
            path=_path(subject),
            query="o=xml",
            format=XML,
            key=Key.QUERY,
            subject=subject,
        )


def _other_host(endpoint: Target) -> Iterator[Request]:
    """The Host in another form of the same name: any other could lead the key to somebody else."""
    origin = endpoint.base.origin
    other = origin.host_header.upper()
    try:
        if ip_address(origin.host).is_loopback:
            other = f"localhost:{origin.port}"
    except ValueError:
        pass
    if other != origin.host_header:
        yield Request(purpose=Purpose.LIST_OTHER_HOST, path=LIST, headers=(("Host", other),))


def _other_case(endpoint: Target) -> Iterator[Request]:
    if endpoint.key.swapcase() != endpoint.key:
        yield Request(purpose=Purpose.OTHER_CASE_KEY, path=LIST, key=Key.OTHER_CASE)


def segment(text: str) -> str:
    """A text as one segment of a path, whatever is in it."""
    return quote(text, safe="", errors="replace")


def path_of(url: str) -> str:
    """What stands behind /REST/v1/ in a URL, empty where it is no such URL."""
    try:
        return urlsplit(url).path.partition(ROOT)[2]
    except ValueError:
        return ""
