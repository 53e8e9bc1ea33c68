"""The job types, and what a response shows of each (get-job-list and wire-contract.md, section 3).

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
    ON_STATUS = "in the status response, once for each spelling of the role in the settings"
    EVERYWHERE = "in the status response and in the job list, with the role dataSource"


@dataclass(frozen=True, slots=True)
class JobTypeSpec:
    """What a response shows of a job type.

    Args:
        status_path: where the job's status is served.
        resource_type: the type of its resource.
        data_source_link: when it links to its data source.
        has_name: whether the job list names the data source.
        in_list: whether the job list has it.
        links_in_list: whether it has self and output links there.
    """

    status_path: StatusPath
    resource_type: ResourceType
    data_source_link: DataSourceLinkPolicy = DataSourceLinkPolicy.NEVER
    has_name: bool = True
    in_list: bool = True
    links_in_list: bool = False


_DATAFLOW, _SERVICE = ResourceType.DATAFLOW_JOB, ResourceType.DATA_SERVICE_JOB
_LOAD_SPEC = JobTypeSpec(StatusPath.LOAD, _DATAFLOW, DataSourceLinkPolicy.ON_STATUS)

JOB_TYPES: dict[JobType, JobTypeSpec] = {
    JobType.GEOCODE: JobTypeSpec(StatusPath.GEOCODE, _DATAFLOW, has_name=False, links_in_list=True),
    JobType.COMPLETE: _LOAD_SPEC,
    JobType.INCREMENTAL: _LOAD_SPEC,
    JobType.COMPLETE_STAGING: _LOAD_SPEC,
    JobType.INCREMENTAL_STAGING: _LOAD_SPEC,
    JobType.PUBLISH: JobTypeSpec(StatusPath.SERVICE, _SERVICE),
    JobType.ROLLBACK: JobTypeSpec(StatusPath.ROLLBACK, _DATAFLOW, DataSourceLinkPolicy.ON_STATUS),
    JobType.DELETE: JobTypeSpec(StatusPath.SERVICE, _SERVICE),
    JobType.ACCESS: JobTypeSpec(StatusPath.SERVICE, _SERVICE, DataSourceLinkPolicy.EVERYWHERE),
    JobType.DOWNLOAD: JobTypeSpec(StatusPath.DOWNLOAD, _DATAFLOW, in_list=False),
}


def is_served_at(job_type: JobType, path: StatusPath) -> bool:
    """Whether a job of this type is found under this kind of URL."""
    return path is StatusPath.LISTED or JOB_TYPES[job_type].status_path is path
