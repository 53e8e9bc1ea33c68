"""The resources of a response: what it shows of a job, before rendering."""

from dataclasses import dataclass
from enum import StrEnum

from adapters.model.ticks import Ticks

INT32_MAX = 2_147_483_647


class ResourceType(StrEnum):
    """The two resource types, as `__type` and the XML element name them."""

    DATAFLOW_JOB = "DataflowJob"
    DATA_SERVICE_JOB = "DataServiceJob"


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a job; the self link has no name."""

    role: str
    url: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class EntityCounts:
    """The entity counts of a job, each an int32 that is never negative."""

    total: int
    processed: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResource:
    """One job of a response. None means that the member is absent; a DataServiceJob has no counts."""

    resource_type: ResourceType
    id: str
    status: str
    created: Ticks
    completed: Ticks | None = None
    name: str | None = None
    description: str | None = None
    error_message: str | None = None
    links: tuple[Link, ...] = ()
    counts: EntityCounts | None = None
