"""The tables of the wire contract that rules look things up in."""

from dataclasses import dataclass
from enum import StrEnum

BING = "http://schemas.microsoft.com/search/local/ws/rest/v1"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSD = "http://www.w3.org/2001/XMLSchema"
ROOT = "/REST/v1/"

NOTICE = (
    "Copyright © {year} Microsoft and its suppliers. All rights reserved. This API cannot be accessed and the content"
    " and any results may not be used, reproduced or transmitted in any manner without express written permission from"
    " Microsoft Corporation."
)
ABORTED = "The job was aborted."
INT32_MAX = 2_147_483_647
WINDOW_DAYS = 15


class BodyFormat(StrEnum):
    """The two formats of an answer."""

    JSON = "json"
    XML = "xml"


JSON, XML = BodyFormat.JSON, BodyFormat.XML


def names(text: str) -> tuple[str, ...]:
    """Names from a text with blanks between them."""
    return tuple(text.split())


# In the order in which an answer has them.
ENVELOPE_ORDER = {
    JSON: names(
        "authenticationResultCode brandLogoUri copyright errorDetails resourceSets statusCode statusDescription traceId"
    ),
    XML: names(
        "Copyright BrandLogoUri StatusCode StatusDescription AuthenticationResultCode ErrorDetails TraceId ResourceSets"
    ),
}
SET_ORDER = {JSON: names("estimatedTotal resources"), XML: names("EstimatedTotal Resources")}
OPTIONAL = names("errorDetails ErrorDetails")
JOB_ORDER = {
    JSON: names(
        "__type id links name completedDate createdDate description errorMessage failedEntityCount processedEntityCount"
        " status totalEntityCount"
    ),
    XML: names(
        "Name Id Link Description Status CreatedDate CompletedDate TotalEntityCount ProcessedEntityCount"
        " FailedEntityCount ErrorMessage"
    ),
}
COUNTS = names("totalEntityCount processedEntityCount failedEntityCount")
DATES = names("createdDate completedDate")
STATUSES = names("Pending Completed Aborted")
CODES = names("ValidCredentials InvalidCredentials CredentialsExpired NotAuthorized NoCredentials None")

# Role and name of each link, exactly as they are written.
SELF, SUCCEEDED, FAILED = ("self", None), ("output", "succeeded"), ("output", "failed")
DOCUMENTED_SERVICE, SAMPLE_SERVICE = ("datasource", "service"), ("dataSource", "service")
SERVICES = (DOCUMENTED_SERVICE, SAMPLE_SERVICE)
LINKS = (SELF, SUCCEEDED, FAILED, *SERVICES)


@dataclass(frozen=True, slots=True)
class StatusPath:
    """A kind of status URL: the path to request, and the path that self links show."""

    path: str
    self_path: str


LOAD = StatusPath("Dataflows/LoadDataSource/{}", "dataflows/LoadDataSource/{}")
DOWNLOAD = StatusPath("Dataflows/DataSourceDownload/{}", "dataflows/DataSourceDownload/{}")
GEOCODE = StatusPath("Dataflows/Geocode/{}", "dataflows/Geocode/{}")
ROLLBACK = StatusPath("Dataflows/DataSourceRollback/{}", "dataflows/DataSourceRollback/{}")
JOBS = StatusPath("data/jobs/{}/$getstatus", "data/jobs/{}/$getstatus")

ACCESS_JOB, DOWNLOAD_JOB, GEOCODE_JOB = "DataSourceAccess", "DataSourceDownload", "Geocode"
STATUS_PATHS = {
    GEOCODE_JOB: GEOCODE,
    "DataSourceComplete": LOAD,
    "DataSourceIncremental": LOAD,
    "DataSourceCompleteStaging": LOAD,
    "DataSourceIncrementalStaging": LOAD,
    "DataSourcePublishFromStaged": JOBS,
    "DataSourceRollback": ROLLBACK,
    "DataSourceDelete": JOBS,
    ACCESS_JOB: JOBS,
    DOWNLOAD_JOB: DOWNLOAD,
}

# What get-job-list calls a job: a service job is one whose status is at `data/jobs`.
DATAFLOW, SERVICE = "DataflowJob", "DataServiceJob"
