"""The paths that only read. Some GETs create or change something, so a request is sent only where its path is here."""

import re

ROOT = "/REST/v1/"
READING = frozenset(("GET", "HEAD"))

_KIND = "LoadDataSource|DataSourceDownload|Geocode|DataSourceRollback"
# One path segment, however often it is decoded: two would name a data source, and some GETs of those create a job.
_SEGMENT = r"(?!(?:\.|%(?:25)*2e){1,2}(?:/|$))(?:(?!%(?:25)*(?:2f|5c))[^/\\?#])+"
# Names of actions begin with $, such as $commit; %25 may become one when it is decoded twice.
_NAME = rf"(?!\$|%24|%25){_SEGMENT}"
_READ_ONLY = re.compile(
    rf"""(?xi) (?:
        Dataflows/ListJobs
        | Dataflows/(?:{_KIND})/{_SEGMENT}
        | Dataflows/(?:{_KIND}|ListJobs|Download)/{_SEGMENT}/output/(?:succeeded|failed)
        | data/jobs/{_SEGMENT}/\$getstatus
        | Dataflows/LoadDataSource
        | data
        | data/\$(?:metadata|GetPublicDataSourceList)
        | data//?{_NAME}/{_NAME}(?:/{_NAME}|/\$metadata)?
        | NoSuchPath
        | Dataflows/NoSuchKind/x
    ) /?"""
)


def only_reads(method: str, path: str) -> bool:
    """Whether a request only reads. `path` is percent-encoded and stands below /REST/v1/, without its query."""
    return method in READING and bool(_READ_ONLY.fullmatch(path))
