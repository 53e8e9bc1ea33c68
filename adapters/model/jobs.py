"""Records of jobs: the vocabulary of the stored rows."""

import re
from dataclasses import dataclass
from enum import Enum, StrEnum

from adapters.model.ticks import Ticks


class JobType(StrEnum):
    """The job types of stored rows."""

    GEOCODE = "Geocode"
    COMPLETE = "DataSourceComplete"
    INCREMENTAL = "DataSourceIncremental"
    COMPLETE_STAGING = "DataSourceCompleteStaging"
    INCREMENTAL_STAGING = "DataSourceIncrementalStaging"
    PUBLISH = "DataSourcePublishFromStaged"
    ROLLBACK = "DataSourceRollback"
    DELETE = "DataSourceDelete"
    ACCESS = "DataSourceAccess"
    DOWNLOAD = "DataSourceDownload"


class JobStatus(Enum):
    """The three states of a job; the value is the word in new rows."""

    PENDING = "Pending"
    COMPLETED = "Completed"
    ABORTED = "Aborted"


@dataclass(frozen=True, slots=True)
class BlobPath:
    """A blob in an account's storage."""

    container: str
    name: str

    @staticmethod
    def parse(text: str) -> "BlobPath | None":
        """Parses `container/path/of/blob`; None where the text does not name one blob."""
        match = _BLOB_PATH.fullmatch(text)
        # Clients resolve dots in a URL before they send it, so a link to such a blob could never work.
        if match is None or {".", ".."} & set(match["name"].split("/")):
            return None
        return BlobPath(match["container"], match["name"])

    def __str__(self) -> str:
        """The text in stored rows."""
        return f"{self.container}/{self.name}"


# A container's name is 3 to 63 of these (or a $ one, like $web), a blob's at most 1,024 characters without controls.
_BLOB_PATH = re.compile(
    r"(?=[^/]{3,63}/)(?P<container>\$?[a-z0-9](?:-?[a-z0-9])*)/(?P<name>[^/\x00-\x1f\x7f\ud800-\udfff]"
    r"[^\x00-\x1f\x7f\ud800-\udfff]{0,1023})",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """One job row.

    `row_key` is the row's id, `legacy_id` the one that the job had at Bing. Counts are never negative and may exceed 32
    bits.
    """

    row_key: str
    job_type: JobType
    status: JobStatus
    created: Ticks
    completed: Ticks | None = None
    data_source_name: str | None = None
    access_id: str | None = None
    description: str | None = None
    error_message: str | None = None
    total: int = 0
    processed: int = 0
    failed: int = 0
    output_blob: BlobPath | None = None
    failed_blob: BlobPath | None = None
    legacy_id: str | None = None
    unconfirmed: bool = False
    """The request that creates it is still running: no worker may run it (proxy/operations/job_creation.py)."""

    @property
    def public_id(self) -> str:
        """The id in URLs and responses."""
        return self.legacy_id or self.row_key

    def is_named_download(self) -> bool:
        """Whether this job can be its data source's newest download."""
        return self.job_type is JobType.DOWNLOAD and self.data_source_name is not None
