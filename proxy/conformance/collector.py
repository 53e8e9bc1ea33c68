"""Runs the requests: the job list, what needs no job, then the jobs of the list and their outputs."""

from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from ipaddress import ip_address

from proxy.conformance import query_plan
from proxy.conformance import request_plan as plan
from proxy.conformance.client import BudgetExceededError, Client, UnreachableError, is_read_only
from proxy.conformance.contract import DOWNLOAD, DOWNLOAD_JOB, ROOT, XML
from proxy.conformance.exchange import Exchange, JobUnderTest, KeyChoice, Purpose, Request, segment
from proxy.conformance.parsed import ParsedJob
from proxy.conformance.parsed_query import is_staged, read_sources, with_entity, with_schema
from proxy.conformance.recording import Recording
from proxy.conformance.target import Target

P = Purpose
MAX_NAMES = 8  # data sources to try for a download job
MAX_OUTPUTS = 3  # jobs whose outputs are fetched
MAX_UNLINKED = 24  # jobs without a link to an output that are tried for one
MAX_SOURCES, MAX_TRIED_SOURCES = 2, 6  # data sources to query, of those that are tried
# From so many jobs on, requests that any answer can serve use a job's status: the list may take seconds.
LONG_LIST = 1_000
# The codes of an unknown key. A query key that lacks a right fails a rule, but is accepted.
REFUSED = ("InvalidCredentials", "CredentialsExpired", "NoCredentials")
MAX_SHOWN_CODE = 40


def collect(target: Target, on_answer: Callable[[], object] = lambda: None) -> Recording:
    """Sends all requests that rules need; `on_answer` is called after each answer.

    Raises:
        UnreachableError: the first request gets no answer, or a key is refused.
    """
    client = Client(target, on_answer)
    try:
        first = client.send(plan.FIRST)
        if first.failure:
            raise UnreachableError(f"{target.base.url} can't be reached: {first.failure}.")
        _check_keys(client, target, first)
        _Collector(client, target).run(first)
    except BudgetExceededError as error:
        client.recording.stopped = str(error)
    return client.recording


def _check_keys(client: Client, target: Target, first: Exchange) -> None:
    """Ends the run if a key is refused, which would fail every rule, or is a query key in place of a master key."""

    def code(answer: Exchange) -> str:
        envelope = client.recording.envelope_of(answer)
        return "" if envelope is None else str(envelope.code or "")[:MAX_SHOWN_CODE]

    def refusal(option: str, answer: Exchange) -> UnreachableError:
        shown = ", ".join(filter(None, (answer.status_line, code(answer))))
        return UnreachableError(f"{target.base.url} refuses the key of {option}: {shown}.")

    if first.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise refusal("--key", first)
    answer = client.send(plan.WITH_KEY)
    if answer.status == HTTPStatus.UNAUTHORIZED and code(answer) == "NotAuthorized":
        raise UnreachableError(f"{target.base.url} accepts the key of --key as a query key; a master key is needed.")
    if target.query_key is not None:
        answer = client.send(plan.WITH_QUERY_KEY)
        if answer.status == HTTPStatus.UNAUTHORIZED and code(answer) in REFUSED:
            raise refusal("--query-key", answer)


class _Collector:
    """The requests after the first one."""

    def __init__(self, client: Client, target: Target) -> None:
        self._client = client
        self._target = target

    def run(self, first: Exchange) -> None:
        """Sends them, as the jobs of the first list need them."""
        listed = self._jobs(first)
        jobs = list(plan.first_of_each_state(listed))
        answers = self._send(
            request for job in jobs for request in plan.with_queries(Request(P.STATUS, job.path, job=job), "", "o=xml")
        )
        lists: Iterable[Request] = (*plan.LISTS, *self._other_host())
        if len(listed) > LONG_LIST:
            found = {answer.request.job for answer in answers if answer.status == HTTPStatus.OK}
            stand_in = next((job for job in plan.preferred(jobs) if job in found), None)
            lists = [request if stand_in is None else plan.for_job(request, stand_in) for request in lists]
        self._send((*lists, *self._other_case(), *plan.ERRORS))
        self._send(request for job in plan.preferred(jobs) for request in plan.variants(job))
        self._send(self._self_links(answers))
        answers += self._downloads(listed)
        self._outputs(answers)
        self._query()
        if self._target.query_key is not None:
            self._send(plan.query_key_requests(jobs))

    def _send(self, requests: Iterable[Request]) -> list[Exchange]:
        """Sends what only reads: ids and links come from the endpoint, and some GETs create jobs."""
        return [self._client.send(request) for request in requests if is_read_only(request)]

    def _jobs(self, answer: Exchange) -> list[ParsedJob]:
        envelope = self._client.recording.envelope_of(answer)
        return [] if envelope is None else list(envelope.jobs)

    def _self_links(self, answers: list[Exchange]) -> Iterator[Request]:
        """The first self link of each kind of URL, sent to the endpoint itself: the link may name another host."""
        followed = set()
        for answer in answers:
            for job in self._jobs(answer)[:1]:
                link = next((link for link in job.links if link.role == "self"), None)
                if link and job.requested and job.status_path not in followed:
                    followed.add(job.status_path)
                    yield Request(P.STATUS_SELF, link.parts.path.partition(ROOT)[2], job=job.requested)

    def _downloads(self, listed: list[ParsedJob]) -> list[Exchange]:
        """Requests downloads by the names in the list; the first that is found is requested in every way."""
        # The job list's page prints a name with a space at its end, which no data source has.
        names = list(dict.fromkeys(name for job in listed if (name := job.text("name").strip())))
        for name in names[:MAX_NAMES]:
            unknown = JobUnderTest("", DOWNLOAD_JOB, "", name)
            by_name = self._send(plan.with_queries(Request(P.DOWNLOAD, unknown.path, job=unknown), "", "o=xml"))
            found = next((job for answer in by_name for job in self._jobs(answer)), None)
            if found is None:
                continue
            job = JobUnderTest(found.id, DOWNLOAD_JOB, found.status, name)
            encoded = "".join(f"%{byte:02X}" for byte in name.encode("utf-8", "replace"))
            swapped = DOWNLOAD.path.swapcase().format(segment(name.swapcase()))
            requests = [
                Request(P.DOWNLOAD_CASE, swapped, job=job),
                Request(P.DOWNLOAD_ENCODED, plan.DOWNLOADS + encoded, job=job),
                Request(P.DOWNLOAD_ID, plan.DOWNLOADS + segment(found.id), job=job),
            ]
            if any(link.name == "succeeded" for link in found.links):
                path = f"Dataflows/Download/{segment(name)}/output/succeeded"
                requests.append(Request(P.OUTPUT_DOWNLOAD, path, job=job))
            self._send(requests)
            return by_name
        return []

    def _outputs(self, answers: list[Exchange]) -> None:
        """Fetches outputs as clients do: by the link with something appended, and by the URL that they build."""
        fetched = unlinked = 0
        is_missing_sent = False
        for answer in answers:
            job, requested = next(iter(self._jobs(answer)), None), answer.request.job
            if answer.request.format is XML or job is None:
                continue
            path = answer.request.path.rpartition("/$")[0] or answer.request.path
            path = path.replace("data/jobs/", f"{plan.LIST}/")
            if job.status == "Aborted" and not is_missing_sent:
                is_missing_sent = True
                self._send([Request(P.OUTPUT_MISSING, f"{path}/output/succeeded", job=requested)])
            output = {"Completed": "succeeded", "Aborted": "failed"}.get(job.status)
            if output and all(link.name != output for link in job.links) and unlinked < MAX_UNLINKED:
                unlinked += 1
                self._send([Request(P.OUTPUT_UNLINKED, f"{path}/output/{output}", job=requested)])
            link = next((link for link in job.links if link.role == "output"), None)
            if link is not None and fetched < MAX_OUTPUTS:
                fetched += 1
                for by_path in self._send(plan.output_requests(path, job.id, link.name or "", requested)):
                    location = by_path.header("location")
                    if by_path.request.purpose is P.OUTPUT and location:
                        self._send([Request(P.LOCATION, location, headers=plan.RANGE, job=requested, is_link=True)])
                if link.is_signed:
                    self._send(plan.link_requests(link.url, requested))

    def _query(self) -> None:
        """Queries the first data sources that have entities; all that one can show for all is requested once."""
        (listed,) = self._send([query_plan.SOURCES])
        served = 0
        for source in read_sources(listed)[:MAX_TRIED_SOURCES]:
            first = self._send([query_plan.first_request(source)])
            answer = self._client.recording.answer_of(first[0]) if first else None
            if answer is None or not answer.entities or served == MAX_SOURCES:
                continue
            served += 1
            (metadata,) = self._send([query_plan.metadata_request(source)])
            known = with_entity(with_schema(source, metadata), answer.entities[0])
            self._send(query_plan.form_requests(known))
            if served == 1:
                self._send(query_plan.other_requests(known))
                (versions,) = self._send([query_plan.versions_request(known)])
                if versions.status == HTTPStatus.OK and not is_staged(versions):
                    self._send([query_plan.staged_request(known)])

    def _other_host(self) -> Iterator[Request]:
        """The Host in another form of the same name: any other name could lead the key elsewhere."""
        origin = self._target.base.origin
        other = origin.host_header.upper()
        try:
            if ip_address(origin.host).is_loopback:
                other = f"localhost:{origin.port}"
        except ValueError:
            pass
        if other != origin.host_header:
            yield Request(P.LIST_OTHER_HOST, plan.LIST, headers=(("Host", other),))

    def _other_case(self) -> Iterator[Request]:
        if self._target.key.swapcase() != self._target.key:
            yield Request(P.OTHER_CASE_KEY, plan.LIST, key=KeyChoice.OTHER_CASE)
