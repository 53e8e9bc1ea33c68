"""What can be asked for: every URL template with its methods and its operation, as the documents list them."""

from dataclasses import dataclass
from enum import Enum

from proxy.bing.job_types import Kind


class Operation(Enum):
    """What can be asked for; the value names it in the log."""

    JOB_STATUS = "job status"
    JOB_LIST = "job list"
    JOB_OUTPUT = "job output"
    LOAD = "create load job"
    DOWNLOAD = "create download job"
    ROLLBACK = "create rollback job"
    PUBLISH = "create publish job"
    ACCESS = "create access job"
    DELETE = "create delete job"
    DATA_SOURCES = "data sources"
    DATA_SOURCE = "data source"
    ALL_METADATA = "metadata of all"
    METADATA = "metadata"
    PUBLIC_DATA_SOURCES = "public data sources"


READING = ("GET", "HEAD")

# HEAD promises to change nothing, so what GET creates is not asked for by HEAD.
CREATING = ("GET",)


@dataclass(frozen=True, slots=True)
class Route:
    """One URL template: a segment in braces takes any text, the others match in any letter case."""

    template: str
    operation: Operation
    kind: Kind = Kind.LISTED
    methods: tuple[str, ...] = READING


# Below /REST/v1/. The documents print output links under ListJobs and Download too.
ROUTES = (
    Route("Dataflows/ListJobs", Operation.JOB_LIST),
    Route("Dataflows/LoadDataSource/{job}", Operation.JOB_STATUS, Kind.LOAD),
    Route("Dataflows/DataSourceDownload/{job}", Operation.JOB_STATUS, Kind.DOWNLOAD),
    Route("Dataflows/Geocode/{job}", Operation.JOB_STATUS, Kind.GEOCODE),
    Route("Dataflows/DataSourceRollback/{job}", Operation.JOB_STATUS, Kind.ROLLBACK),
    Route("data/jobs/{job}/$getstatus", Operation.JOB_STATUS, Kind.SERVICE),
    Route("Dataflows/LoadDataSource/{job}/output/{output}", Operation.JOB_OUTPUT, Kind.LOAD),
    Route("Dataflows/DataSourceDownload/{job}/output/{output}", Operation.JOB_OUTPUT, Kind.DOWNLOAD),
    Route("Dataflows/Download/{job}/output/{output}", Operation.JOB_OUTPUT, Kind.DOWNLOAD),
    Route("Dataflows/Geocode/{job}/output/{output}", Operation.JOB_OUTPUT, Kind.GEOCODE),
    Route("Dataflows/DataSourceRollback/{job}/output/{output}", Operation.JOB_OUTPUT, Kind.ROLLBACK),
    Route("Dataflows/ListJobs/{job}/output/{output}", Operation.JOB_OUTPUT, Kind.LISTED),
    Route("Dataflows/LoadDataSource", Operation.LOAD, methods=("POST",)),
    Route("Dataflows/DataSourceDownload/{accessId}/{name}", Operation.DOWNLOAD, methods=CREATING),
    Route("Dataflows/DataSourceRollback/{previousVersionJobId}/{name}", Operation.ROLLBACK, methods=CREATING),
    Route("data/{accessId}/{name}/$commit", Operation.PUBLISH, methods=CREATING),
    Route("data/{accessId}/{name}/$updatedatasource", Operation.ACCESS, methods=CREATING),
    Route("data/{accessId}/{name}", Operation.DELETE, methods=("DELETE",)),
    Route("data", Operation.DATA_SOURCES),
    Route("data/$metadata", Operation.ALL_METADATA),
    Route("data/$GetPublicDataSourceList", Operation.PUBLIC_DATA_SOURCES),
    Route("data/{accessId}/{name}", Operation.DATA_SOURCE),
    Route("data/{accessId}/{name}/$metadata", Operation.METADATA),
)
