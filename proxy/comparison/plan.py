"""The questions that both sides are asked, each of which only reads."""

from collections.abc import Iterator
from dataclasses import dataclass

from proxy.comparison.difference import Question
from proxy.comparison.endpoint import segment
from proxy.comparison.inventory import JOB_LIST
from proxy.comparison.job_list import ListedJob
from proxy.comparison.query_forms import Draw, draw_queries
from proxy.comparison.read_only import only_reads
from proxy.comparison.service_document import ListedSource

PAGE = 250  # the most that one answer has
ACCOUNT, JOBS = "account", "jobs"
XML = (("output", "xml"),)
JSON = (("$format", "json"),)


class NotReadOnlyError(Exception):
    """A question could change something, so it is not asked."""


@dataclass(frozen=True, slots=True)
class PlannedQuestion:
    """A question.

    `about` is a data source, the account or its jobs. `title` names the question without values of entities. `path` is
    below /REST/v1/ and percent-encoded; `parameters` stand before the key.
    """

    kind: Question
    about: str
    title: str
    path: str
    parameters: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        """Refuses what may do more than read: ids and names come from the endpoints.

        Raises:
            NotReadOnlyError: the path is none that only reads.
        """
        if not only_reads("GET", self.path):
            raise NotReadOnlyError(self.title)

    @property
    def request(self) -> str:
        """The request with its values and without the key."""
        query = "&".join(f"{name}={value}" for name, value in self.parameters)
        return f"GET {self.path}" + (f"?{query}" if query else "")


FIRST = PlannedQuestion(Question.JOBS, JOBS, "job list, JSON", JOB_LIST)


def account_questions() -> Iterator[PlannedQuestion]:
    """The lists of the account, but the first one."""
    yield PlannedQuestion(Question.JOBS, JOBS, "job list, XML", JOB_LIST, XML)
    yield PlannedQuestion(Question.INFORMATION, ACCOUNT, "data sources, Atom", "data")
    yield PlannedQuestion(Question.INFORMATION, ACCOUNT, "data sources, JSON", "data", JSON)


def job_questions(job: ListedJob) -> Iterator[PlannedQuestion]:
    """The status of a job in both formats; none where its id can be no segment of a path that only reads."""
    path = job.status_path.format(segment(job.id))
    if only_reads("GET", path):
        yield PlannedQuestion(Question.JOBS, JOBS, f"status of job {job.id}, JSON", path)
        yield PlannedQuestion(Question.JOBS, JOBS, f"status of job {job.id}, XML", path, XML)


def source_questions(source: ListedSource) -> Iterator[PlannedQuestion]:
    """What is known of a data source without its entities."""
    about, parent = source.name, source.parent
    yield PlannedQuestion(Question.INFORMATION, about, "information, Atom", parent)
    yield PlannedQuestion(Question.INFORMATION, about, "information, JSON", parent, JSON)
    yield PlannedQuestion(Question.METADATA, about, "metadata", f"{parent}/$metadata")


def query_questions(source: ListedSource, draw: Draw, wanted: int) -> Iterator[PlannedQuestion]:
    """Queries made from entities; an id that no path can have in it makes none."""
    for query, is_json in draw_queries(draw, wanted):
        path = f"{source.path}{query.suffix}"
        if only_reads("GET", path):
            title = f"{query.title}, {'JSON' if is_json else 'Atom'}"
            yield PlannedQuestion(Question.QUERY, source.name, title, path, (*query.parameters, *(JSON * is_json)))


def page_question(source: ListedSource, skip: int) -> PlannedQuestion:
    """A page of all entities, and how many there are."""
    parameters = (*JSON, ("$top", str(PAGE)), ("$skip", str(skip)), ("$inlinecount", "allpages"))
    title = f"entities from {skip + 1} on, JSON"
    return PlannedQuestion(Question.QUERY, source.name, title, source.path, parameters)
