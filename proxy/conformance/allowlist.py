"""Which paths may be asked for. Some GETs of the service create jobs: none of those is here."""

import re

_KIND = "LoadDataSource|DataSourceDownload|Geocode|DataSourceRollback"

# One segment, whatever the server decodes in it: two would be a data source, and asking for that can create a job.
_SEGMENT = r"(?!\.{1,2}(?:/|$))(?:(?!%2f|%5c)[^/\\?#])+"

READ_ONLY = tuple(
    re.compile(pattern + "/?", re.IGNORECASE)
    for pattern in (
        r"Dataflows/ListJobs",
        rf"Dataflows/(?:{_KIND})/{_SEGMENT}",
        rf"Dataflows/(?:{_KIND}|ListJobs|Download)/{_SEGMENT}/output/(?:succeeded|failed)",
        rf"data/jobs/{_SEGMENT}/\$getstatus",
        r"Dataflows/LoadDataSource",
        r"data",
        r"NoSuchPath",
        r"Dataflows/NoSuchKind/x",
    )
)


def is_read_only(path: str) -> bool:
    """Whether a path below /REST/v1/ only tells what is there."""
    return any(pattern.fullmatch(path) for pattern in READ_ONLY)
