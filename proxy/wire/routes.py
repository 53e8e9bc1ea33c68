"""What can be asked for: every URL template with its methods and its operation, as the documents list them."""

from dataclasses import dataclass
from enum import Enum

from proxy.wire.job_types import StatusPath


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
    GEOCODE = "create geocode job"
    QUERY = "query data source"
    BING_DATA = "query Bing data"
    BOUNDARIES = "query boundaries"


ROOT = "REST/v1"

READING = ("GET", "HEAD")

# HEAD promises to change nothing, so what GET creates is not asked for by HEAD.
CREATING = ("GET",)


@dataclass(frozen=True, slots=True)
class Route:
    """One URL template: a segment in braces takes any text, the others match in any letter case."""

    template: str
    operation: Operation
    kind: StatusPath = StatusPath.LISTED
    methods: tuple[str, ...] = READING
    root: str = ROOT


# What the API has and this endpoint does not serve, in words. Each is an operation of its own, so that the log and the
# metrics show the operator which programs need it.
NOT_SERVED = {
    Operation.GEOCODE: "creating geocode jobs; it serves the status and the outputs of existing ones",
    Operation.QUERY: "queries of data sources; it serves their information and downloads",
    Operation.BING_DATA: "Bing's own data, like Microsoft/PointsOfInterest; it serves data sources of your account",
    Operation.BOUNDARIES: "boundaries of the Geodata API",
}

# Below their root, /REST/v1/ unless another is given. The documents print output links under ListJobs and Download too.
ROUTES = (
    Route("Dataflows/ListJobs", Operation.JOB_LIST),
    Route("Dataflows/LoadDataSource/{job}", Operation.JOB_STATUS, StatusPath.LOAD),
    Route("Dataflows/DataSourceDownload/{job}", Operation.JOB_STATUS, StatusPath.DOWNLOAD),
    Route("Dataflows/Geocode/{job}", Operation.JOB_STATUS, StatusPath.GEOCODE),
    Route("Dataflows/DataSourceRollback/{job}", Operation.JOB_STATUS, StatusPath.ROLLBACK),
    Route("data/jobs/{job}/$getstatus", Operation.JOB_STATUS, StatusPath.SERVICE),
    Route("Dataflows/LoadDataSource/{job}/output/{output}", Operation.JOB_OUTPUT, StatusPath.LOAD),
    Route("Dataflows/DataSourceDownload/{job}/output/{output}", Operation.JOB_OUTPUT, StatusPath.DOWNLOAD),
    Route("Dataflows/Download/{job}/output/{output}", Operation.JOB_OUTPUT, StatusPath.DOWNLOAD),
    Route("Dataflows/Geocode/{job}/output/{output}", Operation.JOB_OUTPUT, StatusPath.GEOCODE),
    Route("Dataflows/DataSourceRollback/{job}/output/{output}", Operation.JOB_OUTPUT, StatusPath.ROLLBACK),
    Route("Dataflows/ListJobs/{job}/output/{output}", Operation.JOB_OUTPUT, StatusPath.LISTED),
    Route("Dataflows/LoadDataSource", Operation.LOAD, methods=("POST",)),
    Route("Dataflows/DataSourceDownload/{accessId}/{name}", Operation.DOWNLOAD, methods=CREATING),
    Route("Dataflows/DataSourceRollback/{previousVersionJobId}/{name}", Operation.ROLLBACK, methods=CREATING),
    Route("data/{accessId}/{name}/$commit", Operation.PUBLISH, methods=CREATING),
    Route("data/{accessId}/{name}/$updatedatasource", Operation.ACCESS, methods=CREATING),
    Route("data/{accessId}/{name}", Operation.DELETE, methods=("DELETE",)),
    Route("data", Operation.DATA_SOURCES),
    Route("data/$metadata", Operation.ALL_METADATA),
    Route("data/$GetPublicDataSourceList", Operation.PUBLIC_DATA_SOURCES),
    Route("data/Microsoft/PointsOfInterest", Operation.BING_DATA),
    Route("data/{accessId}/{name}", Operation.DATA_SOURCE),
    Route("data/{accessId}/{name}/$metadata", Operation.METADATA),
    Route("data/{accessId}/{name}/{entityType}", Operation.QUERY),
    Route("Dataflows/Geocode", Operation.GEOCODE, StatusPath.GEOCODE, methods=("POST",)),
    # The Geodata API has a host and a root of its own: platform.bing.com.
    Route("public/Geodata", Operation.BOUNDARIES, root="geo/spatial/v1"),
)
