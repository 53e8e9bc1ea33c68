"""The tables of the wire contract that the rules look things up in."""

from dataclasses import dataclass

BING = "http://schemas.microsoft.com/search/local/ws/rest/v1"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSD = "http://www.w3.org/2001/XMLSchema"

JSON_CONTENT = "application/json;charset=utf-8"
XML_CONTENT = "application/xml;charset=utf-8"

NOTICE = (
    "Copyright © {year} Microsoft and its suppliers. All rights reserved. This API cannot be accessed and the content"
    " and any results may not be used, reproduced or transmitted in any manner without express written permission from"
    " Microsoft Corporation."
)
ABORTED = "The job was aborted."
INT32_MAX = 2_147_483_647
WINDOW_DAYS = 15

MEMBERS = (
    "authenticationResultCode",
    "brandLogoUri",
    "copyright",
    "errorDetails",
    "resourceSets",
    "statusCode",
    "statusDescription",
    "traceId",
)
ELEMENTS = (
    "Copyright",
    "BrandLogoUri",
    "StatusCode",
    "StatusDescription",
    "AuthenticationResultCode",
    "ErrorDetails",
    "TraceId",
    "ResourceSets",
)
OPTIONAL = frozenset(("errorDetails", "ErrorDetails"))

JOB_MEMBERS = (
    "__type",
    "id",
    "links",
    "name",
    "completedDate",
    "createdDate",
    "description",
    "errorMessage",
    "failedEntityCount",
    "processedEntityCount",
    "status",
    "totalEntityCount",
)
JOB_ELEMENTS = (
    "Name",
    "Id",
    "Link",
    "Description",
    "Status",
    "CreatedDate",
    "CompletedDate",
    "TotalEntityCount",
    "ProcessedEntityCount",
    "FailedEntityCount",
    "ErrorMessage",
)
LINK_MEMBERS = ("name", "role", "url")
COUNTS = ("totalEntityCount", "processedEntityCount", "failedEntityCount")
STATUSES = ("Pending", "Completed", "Aborted")

DATAFLOW, SERVICE = "DataflowJob", "DataServiceJob"

# Roles and names exactly as they are written.
SELF, SUCCEEDED, FAILED = ("self", None), ("output", "succeeded"), ("output", "failed")
DOCUMENTED_SERVICE, SAMPLE_SERVICE = ("datasource", "service"), ("dataSource", "service")
LINKS = (SELF, SUCCEEDED, FAILED, DOCUMENTED_SERVICE, SAMPLE_SERVICE)


@dataclass(frozen=True, slots=True)
class StatusPath:
    """A kind of status URL: the path that is asked, and the one that self links show."""

    path: str
    self_path: str


LOAD = StatusPath("Dataflows/LoadDataSource/{}", "dataflows/LoadDataSource/{}")
DOWNLOAD = StatusPath("Dataflows/DataSourceDownload/{}", "dataflows/DataSourceDownload/{}")
GEOCODE = StatusPath("Dataflows/Geocode/{}", "dataflows/Geocode/{}")
ROLLBACK = StatusPath("Dataflows/DataSourceRollback/{}", "dataflows/DataSourceRollback/{}")
JOBS = StatusPath("data/jobs/{}/$getstatus", "data/jobs/{}/$getstatus")

KINDS = {
    "Geocode": GEOCODE,
    "DataSourceComplete": LOAD,
    "DataSourceIncremental": LOAD,
    "DataSourceCompleteStaging": LOAD,
    "DataSourceIncrementalStaging": LOAD,
    "DataSourcePublishFromStaged": JOBS,
    "DataSourceRollback": ROLLBACK,
    "DataSourceDelete": JOBS,
    "DataSourceAccess": JOBS,
    "DataSourceDownload": DOWNLOAD,
}
ACCESS_JOB, DOWNLOAD_JOB, GEOCODE_JOB = "DataSourceAccess", "DataSourceDownload", "Geocode"


def resource_type(job_type: str) -> str:
    """What get-job-list calls a job of this type."""
    return SERVICE if KINDS.get(job_type) is JOBS else DATAFLOW
