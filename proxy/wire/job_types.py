"""The job types, and what an answer shows of each (get-job-list and wire contract, section 3).

To add a job type: a line in `JobType`, a row in `JOB_TYPES`, an example in tests/documented.
"""

from dataclasses import dataclass
from enum import Enum

from adapters.model.jobs import JobType
from proxy.wire.resources import ResourceType


class StatusPath(Enum):
    """The kinds of status URL: the value is the path between `/REST/v1/` and the id, in its documented casing."""

    LOAD = "dataflows/LoadDataSource"
    DOWNLOAD = "dataflows/DataSourceDownload"
    GEOCODE = "dataflows/Geocode"
    ROLLBACK = "dataflows/DataSourceRollback"
    SERVICE = "data/jobs"
    LISTED = "dataflows/ListJobs"
    """Any job: the documents print output links of this kind in the job list."""


class DataSourceLinkPolicy(Enum):
    """When a Completed job links to its data source, and under which role."""

    NEVER = "never"
    ON_STATUS = "on the status answer, once for each spelling of the role in the settings"
    EVERYWHERE = "on the status answer and in the job list, role dataSource"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTypeSpec:
    """What an answer shows of a job type."""

    kind: StatusPath
    resource_type: ResourceType
    service_link: DataSourceLinkPolicy = DataSourceLinkPolicy.NEVER
    has_name: bool = True
    """Whether the job list names the data source."""
    in_list: bool = True
    links_in_list: bool = False
    """Whether the job list has self and output links."""


_LOAD = JobTypeSpec(
    kind=StatusPath.LOAD, resource_type=ResourceType.DATAFLOW_JOB, service_link=DataSourceLinkPolicy.ON_STATUS
)
_SERVICE = JobTypeSpec(kind=StatusPath.SERVICE, resource_type=ResourceType.DATA_SERVICE_JOB)

JOB_TYPES: dict[JobType, JobTypeSpec] = {
    JobType.GEOCODE: JobTypeSpec(
        kind=StatusPath.GEOCODE, resource_type=ResourceType.DATAFLOW_JOB, has_name=False, links_in_list=True
    ),
    JobType.COMPLETE: _LOAD,
    JobType.INCREMENTAL: _LOAD,
    JobType.COMPLETE_STAGING: _LOAD,
    JobType.INCREMENTAL_STAGING: _LOAD,
    JobType.PUBLISH: _SERVICE,
    JobType.ROLLBACK: JobTypeSpec(
        kind=StatusPath.ROLLBACK, resource_type=ResourceType.DATAFLOW_JOB, service_link=DataSourceLinkPolicy.ON_STATUS
    ),
    JobType.DELETE: _SERVICE,
    JobType.ACCESS: JobTypeSpec(
        kind=StatusPath.SERVICE,
        resource_type=ResourceType.DATA_SERVICE_JOB,
        service_link=DataSourceLinkPolicy.EVERYWHERE,
    ),
    JobType.DOWNLOAD: JobTypeSpec(kind=StatusPath.DOWNLOAD, resource_type=ResourceType.DATAFLOW_JOB, in_list=False),
}


def is_of_kind(job_type: JobType, kind: StatusPath) -> bool:
    """Whether a job of this type is found under this kind of URL."""
    return kind is StatusPath.LISTED or JOB_TYPES[job_type].kind is kind
