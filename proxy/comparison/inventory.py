"""What an endpoint has: its data sources with versions and schemas, and its jobs."""

from proxy.comparison.answer import Answer, AnswerKind
from proxy.comparison.endpoint import Endpoint, segment
from proxy.comparison.job_list import ListedJob, read_jobs
from proxy.comparison.service_document import DocumentError, ListedSource, Schema, read_schemas, read_service_document

JOB_LIST = "Dataflows/ListJobs"


class UnexpectedAnswerError(Exception):
    """An endpoint answers something else than it should; the text is a sentence, `answer` has the rest."""

    def __init__(self, endpoint: Endpoint, path: str, answer: Answer, problem: str = "") -> None:
        """Names the endpoint, the path and the beginning of the answer, without the key."""
        super().__init__(endpoint.redactor.text(f"{endpoint.url}: {path}: {problem or answer.describe()}"))
        self.answer = answer


def list_sources(endpoint: Endpoint) -> tuple[ListedSource, ...]:
    """The data sources of the account, each by its published version.

    Raises:
        UnexpectedAnswerError: the answer is no service document.
        TransportError: no answer came.
    """
    return _read_sources(endpoint, "data", {})


def list_versions(endpoint: Endpoint, source: ListedSource) -> tuple[ListedSource, ...]:
    """The versions of a data source: published, staged and earlier ones.

    Raises:
        UnexpectedAnswerError: the answer is no service document.
        TransportError: no answer came.
    """
    return _read_sources(endpoint, source.parent, {"showAllVersions": "true"})


def read_schema(endpoint: Endpoint, source: ListedSource) -> Schema:
    """The schema of a data source's published version.

    Raises:
        UnexpectedAnswerError: the answer is no metadata document, or has none of this entity type.
        TransportError: no answer came.
    """
    path = f"{source.parent}/$metadata"
    answer = _ask(endpoint, path, {})
    try:
        schemas = read_schemas(answer.body)
    except DocumentError as error:
        raise UnexpectedAnswerError(endpoint, path, answer, str(error)) from error
    found = next((each for each in schemas if each.entity_type.lower() == source.entity_type.lower()), None)
    if found is None:
        raise UnexpectedAnswerError(endpoint, path, answer, "no schema of the data source's entity type")
    return found


def list_jobs(endpoint: Endpoint) -> tuple[ListedJob, ...]:
    """The jobs of the job list, in its order.

    Raises:
        UnexpectedAnswerError: the answer is no job list.
        TransportError: no answer came.
    """
    return _read_jobs(endpoint, JOB_LIST)


def read_job(endpoint: Endpoint, listed: ListedJob) -> ListedJob:
    """The status of a listed job.

    Raises:
        UnexpectedAnswerError: the answer has no such job.
        TransportError: no answer came.
    """
    path = listed.status_path.format(segment(listed.id))
    found = _read_jobs(endpoint, path)
    return found[0]


def _read_jobs(endpoint: Endpoint, path: str) -> tuple[ListedJob, ...]:
    answer = _ask(endpoint, path, {})
    try:
        jobs = read_jobs(answer.body)
    except DocumentError as error:
        raise UnexpectedAnswerError(endpoint, path, answer, str(error)) from error
    if not jobs and path != JOB_LIST:
        raise UnexpectedAnswerError(endpoint, path, answer, "no job")
    return jobs


def _read_sources(endpoint: Endpoint, path: str, parameters: dict[str, str]) -> tuple[ListedSource, ...]:
    answer = _ask(endpoint, path, parameters)
    try:
        return read_service_document(answer.body)
    except DocumentError as error:
        raise UnexpectedAnswerError(endpoint, path, answer, str(error)) from error


def _ask(endpoint: Endpoint, path: str, parameters: dict[str, str]) -> Answer:
    answer = endpoint.ask("GET", path, parameters)
    if answer.kind is not AnswerKind.SUCCESS:
        raise UnexpectedAnswerError(endpoint, path, answer)
    return answer
