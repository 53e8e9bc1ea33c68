"""Reads the jobs of an answer, in either format: those of the job list, or the one of a status answer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from proxy.comparison.documents import is_huge, read_json, read_xml
from proxy.comparison.service_document import DocumentError

# What get-job-list calls a job, and the path of its status; what is not here is at `data/jobs`.
STATUS_PATHS = {
    "Geocode": "Dataflows/Geocode/{}",
    "DataSourceComplete": "Dataflows/LoadDataSource/{}",
    "DataSourceIncremental": "Dataflows/LoadDataSource/{}",
    "DataSourceCompleteStaging": "Dataflows/LoadDataSource/{}",
    "DataSourceIncrementalStaging": "Dataflows/LoadDataSource/{}",
    "DataSourceRollback": "Dataflows/DataSourceRollback/{}",
    "DataSourceDownload": "Dataflows/DataSourceDownload/{}",
}
SERVICE_PATH = "data/jobs/{}/$getstatus"


@dataclass(frozen=True, slots=True)
class JobLink:
    """A link of a job; `name` is empty on a self link."""

    role: str
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class ListedJob:
    """A job. `values` has its other members by their JSON names, with their values as texts.

    `description` is the job's type in the job list, and the user's own text on a status answer.
    """

    id: str
    status: str
    name: str
    description: str
    links: tuple[JobLink, ...]
    values: Mapping[str, str]

    @property
    def status_path(self) -> str:
        """The template of the job's status path; `description` is its type, as in the job list."""
        return STATUS_PATHS.get(self.description, SERVICE_PATH)

    def link(self, role: str, name: str = "") -> str:
        """The URL of the first such link, in any letter case; empty where there is none."""
        wanted = role.lower(), name.lower()
        return next((each.url for each in self.links if (each.role.lower(), each.name.lower()) == wanted), "")


def read_jobs(body: bytes) -> tuple[ListedJob, ...]:
    """The jobs of all resource sets.

    Raises:
        DocumentError: the body is no envelope.
    """
    failure = DocumentError("no envelope of this API")
    if is_huge(body):
        raise failure
    try:
        found = tuple(_json_jobs(body) if body.lstrip()[:1] == b"{" else _xml_jobs(body))
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, etree.LxmlError):
        raise failure from None
    return found


def _json_jobs(body: bytes) -> Iterator[ListedJob]:
    for resource_set in read_json(body)["resourceSets"]:
        for job in resource_set["resources"]:
            links = (
                JobLink(*(str(each.get(name, "")) for name in ("role", "name", "url"))) for each in job.get("links", ())
            )
            values = {name: str(value) for name, value in job.items() if name != "links" and value is not None}
            yield _job(values, tuple(links))


def _xml_jobs(body: bytes) -> Iterator[ListedJob]:
    root = read_xml(body)
    if etree.QName(root).localname != "Response":
        raise ValueError("another document")
    for job in root.iterfind("{*}ResourceSets/{*}ResourceSet/{*}Resources/*"):
        links = (
            JobLink(str(each.get("role", "")), str(each.get("name", "")), each.text or "")
            for each in job.iterfind("{*}Link")
        )
        names: Any = ((etree.QName(each).localname, each.text) for each in job.iterchildren("*"))
        values = {name[:1].lower() + name[1:]: text for name, text in names if text is not None and name != "Link"}
        yield _job(values, tuple(links))


def _job(values: dict[str, str], links: tuple[JobLink, ...]) -> ListedJob:
    job_id, status, name, description = (values.pop(each, "") for each in ("id", "status", "name", "description"))
    return ListedJob(job_id, status, name, description, links, values)
