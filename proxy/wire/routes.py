"""Every URL template with its methods and its operation, as the documents list them."""

from dataclasses import dataclass
from enum import Enum

from proxy.wire.job_types import StatusPath


class Operation(Enum):
    """The operations of the API; the value names one in the log."""

    JOB_STATUS = "job_status"
    JOB_LIST = "job_list"
    JOB_OUTPUT = "job_output"
    LOAD = "create_load_job"
    DOWNLOAD = "create_download_job"
    ROLLBACK = "create_rollback_job"
    PUBLISH = "create_publish_job"
    ACCESS = "create_access_job"
    DELETE = "create_delete_job"
    DATA_SOURCES = "data_sources"
    DATA_SOURCE = "data_source"
    ALL_METADATA = "metadata_of_all"
    METADATA = "metadata"
    PUBLIC_DATA_SOURCES = "public_data_sources"
    GEOCODE = "create_geocode_job"
    QUERY = "query_data_source"
    BING_DATA = "query_bing_data"
    BOUNDARIES = "query_boundaries"


ROOT = "REST/v1"

READING = ("GET", "HEAD")

# HEAD must change nothing, so an operation that creates a job takes GET alone.
CREATING = ("GET",)


@dataclass(frozen=True, slots=True)
class Route:
    """One URL template: a segment in braces matches any text, the others match in any letter case."""

    template: str
    operation: Operation
    status_path: StatusPath = StatusPath.LISTED
    methods: tuple[str, ...] = READING
    root: str = ROOT


# Operations of Bing's API that this endpoint does not serve, as the error's text words them. The log and the metrics
# show the operator which programs need them.
NOT_SERVED = {
    Operation.QUERY: "queries of data sources; it serves their information and downloads",
    Operation.BING_DATA: "Bing's own data, like Microsoft/PointsOfInterest; it serves data sources of your account",
    Operation.BOUNDARIES: "boundaries of the Geodata API",
}

# Below /REST/v1/, unless a route has another root. The documents print output links under ListJobs and Download too.
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
    Route("Dataflows/Geocode", Operation.GEOCODE, StatusPath.GEOCODE, methods=("POST",)),
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
    # The Geodata API has a host and a root of its own: platform.bing.com.
    Route("public/Geodata", Operation.BOUNDARIES, root="geo/spatial/v1"),
)
