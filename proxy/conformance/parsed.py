"""A parsed answer, the same for both formats; values of an unexpected type stay as they are."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import SplitResult, parse_qsl, urlsplit

from proxy.conformance.contract import JOBS, ROOT, STATUS_PATHS, XML, BodyFormat, StatusPath
from proxy.conformance.exchange import Exchange, JobUnderTest


@dataclass(frozen=True, slots=True)
class ParsedLink:
    """A link. `members` are the names of its JSON members or XML attributes, in their order."""

    exchange: Exchange
    role: str
    name: str | None
    url: str
    members: tuple[str, ...]

    @property
    def relation(self) -> tuple[str, str | None]:
        """Role and name."""
        return self.role, self.name

    @property
    def is_signed(self) -> bool:
        """Whether the link is a signed URL of storage."""
        return "sig=" in self.url.lower()

    @property
    def parts(self) -> SplitResult:
        """The parts of the URL, all empty if it is none."""
        return split_url(self.url)

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the URL."""
        return dict(parse_qsl(self.parts.query, keep_blank_values=True))

    @property
    def tail(self) -> str:
        """The URL after /REST/v1/."""
        return self.url.partition(ROOT)[2]

    def show(self, *names: str) -> str:
        """These parameters, or the whole URL."""
        return " ".join(f"{name}={self.parameters.get(name)}" for name in names) or self.url


@dataclass(frozen=True, slots=True)
class ParsedJob:
    """A job. `values` has the JSON names; `order` has the names as the answer has them, a link's once for each.

    `type_text` is the whole `__type` of JSON, `resource_type` its part before the colon: DataflowJob or DataServiceJob.
    `empty` are the XML elements without a text.
    """

    exchange: Exchange
    resource_type: str
    type_text: str
    order: tuple[str, ...]
    values: Mapping[str, object]
    links: tuple[ParsedLink, ...]
    empty: tuple[str, ...] = ()

    def text(self, name: str) -> str:
        """A member that is a text, else the empty text."""
        value = self.values.get(name)
        return value if isinstance(value, str) else ""

    @property
    def id(self) -> str:
        """The job's id, or the empty text."""
        return self.text("id")

    @property
    def status(self) -> str:
        """The job's status, or the empty text."""
        return self.text("status")

    @property
    def job_type(self) -> str:
        """The type of the job whose status was requested, or the type in the list."""
        return self.text("description") if self.requested is None else self.requested.job_type

    @property
    def requested(self) -> JobUnderTest | None:
        """The job whose status was requested; None in the list."""
        return self.exchange.request.job

    @property
    def status_path(self) -> StatusPath | None:
        """The kind of status URL that the job's type has."""
        return STATUS_PATHS.get(self.job_type)

    @property
    def is_service(self) -> bool:
        """Whether get-job-list calls a job of this type a DataServiceJob."""
        return self.status_path is JOBS

    @property
    def relations(self) -> list[tuple[str, str | None]]:
        """Role and name of each link."""
        return [link.relation for link in self.links]

    def show(self, *names: str) -> str:
        """Members as the answer writes them; `order`, `links`, `self` and `resource_type` summarise the job."""
        return " ".join(self._show(name) for name in names)

    def _show(self, name: str) -> str:
        summary = {
            "order": lambda: ", ".join(self.order),
            "links": lambda: "; ".join(f"{role} {name or ''}".rstrip() for role, name in self.relations) or "no links",
            "self": lambda: self.links[0].url if self.links else "no links",
            "resource_type": lambda: self.resource_type,
        }.get(name)
        if summary:
            return summary()
        if name not in self.values:
            return f"{name} absent"
        value = self.values[name]
        if self.exchange.request.format is XML:
            element = name[0].upper() + name[1:]
            return f"<{element}>{value}</{element}>"
        return f'"{name}":{value if type(value) is int else json.dumps(value, ensure_ascii=False)}'


@dataclass(frozen=True, slots=True)
class ParsedResourceSet:
    """A resource set."""

    order: tuple[str, ...]
    total: object
    jobs: tuple[ParsedJob, ...]


@dataclass(frozen=True, slots=True)
class XmlForm:
    """What only rules about XML need.

    `foreign` shows the first element with a prefix, else the first in another namespace. `empty_dates` has the
    attributes of each CompletedDate without a text.
    """

    root: str = ""
    declared: Mapping[str, str | None] = field(default_factory=dict)
    foreign: str = ""
    error_elements: tuple[str, ...] = ()
    empty_dates: tuple[tuple[tuple[str, str], ...], ...] = ()


@dataclass(frozen=True, slots=True)
class ParsedEnvelope:
    """A parsed answer. `values` has the JSON names; `details` is None where errorDetails is absent."""

    exchange: Exchange
    format: BodyFormat
    order: tuple[str, ...]
    values: Mapping[str, object]
    details: tuple[object, ...] | None
    sets: tuple[ParsedResourceSet, ...]
    xml: XmlForm = XmlForm()

    def show(self, *names: str) -> str:
        """The status, then members, headers, and summaries of other parts."""
        return ", ".join([self.exchange.status_line, *map(self._show, names)])

    def _show(self, name: str) -> str:
        summaries: Mapping[str, Callable[[], str]] = {
            "order": lambda: ", ".join(self.order),
            "sets": lambda: (
                "; ".join(
                    f"total {each.total}, {len(each.jobs)} jobs, members {', '.join(each.order)}" for each in self.sets
                )
                or "no resource set"
            ),
            "statuses": lambda: ", ".join(job.status for job in self.jobs[:12]),
            "errorDetails": lambda: f"errorDetails {'absent' if self.details is None else list(self.details)}",
            "format": self.format.upper,
            "content-type": lambda: f"content-type: {self.exchange.header('content-type')}",
            "xml": lambda: f"{self.xml}",
        }
        return summaries[name]() if name in summaries else f"{name} {self.values.get(name)}"

    @property
    def is_error(self) -> bool:
        """Whether the HTTP status is one of an error."""
        return self.exchange.status >= HTTPStatus.BAD_REQUEST

    @property
    def lists_details(self) -> bool:
        """Whether errorDetails is a list; in XML it always is."""
        return self.format is XML or isinstance(self.values.get("errorDetails"), list)

    @property
    def code(self) -> object:
        """The authenticationResultCode."""
        return self.values.get("authenticationResultCode")

    @property
    def jobs(self) -> tuple[ParsedJob, ...]:
        """The jobs of all resource sets."""
        return tuple(job for each in self.sets for job in each.jobs)


def split_url(url: str) -> SplitResult:
    """The parts of a URL, all empty if it is none."""
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", "", "", "")
