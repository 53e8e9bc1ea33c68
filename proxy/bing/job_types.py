"""The job types, and what an answer shows of each (get-job-list and wire contract, section 3).

To add a job type: a line in `JobType`, a row in `JOB_TYPES`, an example in tests/wire.
"""

from dataclasses import dataclass
from enum import Enum

from adapters.records import JobType
from proxy.bing.resources import ResourceType


class Kind(Enum):
    """The kinds of status URL: the value is the path between `/REST/v1/` and the id, in its documented casing."""

    LOAD = "dataflows/LoadDataSource"
    DOWNLOAD = "dataflows/DataSourceDownload"
    GEOCODE = "dataflows/Geocode"
    ROLLBACK = "dataflows/DataSourceRollback"
    SERVICE = "data/jobs"
    LISTED = "dataflows/ListJobs"
    """Any job: the documents print output links of this kind in the job list."""


class ServiceLink(Enum):
    """When a Completed job links to its data source, and under which role."""

    NEVER = "never"
    ON_STATUS = "on the status answer, once for each spelling of the role in the settings"
    EVERYWHERE = "on the status answer and in the job list, role dataSource"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What an answer shows of a job type."""

    kind: Kind
    resource_type: ResourceType
    service_link: ServiceLink = ServiceLink.NEVER
    has_name: bool = True
    """Whether the job list names the data source."""
    in_list: bool = True
    links_in_list: bool = False
    """Whether the job list has self and output links."""


_LOAD = Shown(kind=Kind.LOAD, resource_type=ResourceType.DATAFLOW_JOB, service_link=ServiceLink.ON_STATUS)
_SERVICE = Shown(kind=Kind.SERVICE, resource_type=ResourceType.DATA_SERVICE_JOB)

JOB_TYPES: dict[JobType, Shown] = {
    JobType.GEOCODE: Shown(
        kind=Kind.GEOCODE, resource_type=ResourceType.DATAFLOW_JOB, has_name=False, links_in_list=True
    ),
    JobType.COMPLETE: _LOAD,
    JobType.INCREMENTAL: _LOAD,
    JobType.COMPLETE_STAGING: _LOAD,
    JobType.INCREMENTAL_STAGING: _LOAD,
    JobType.PUBLISH: _SERVICE,
    JobType.ROLLBACK: Shown(
        kind=Kind.ROLLBACK, resource_type=ResourceType.DATAFLOW_JOB, service_link=ServiceLink.ON_STATUS
    ),
    JobType.DELETE: _SERVICE,
    JobType.ACCESS: Shown(
        kind=Kind.SERVICE, resource_type=ResourceType.DATA_SERVICE_JOB, service_link=ServiceLink.EVERYWHERE
    ),
    JobType.DOWNLOAD: Shown(kind=Kind.DOWNLOAD, resource_type=ResourceType.DATAFLOW_JOB, in_list=False),
}


def is_of_kind(job_type: JobType, kind: Kind) -> bool:
    """Whether a job of this type is found under this kind of URL."""
    return kind is Kind.LISTED or JOB_TYPES[job_type].kind is kind
