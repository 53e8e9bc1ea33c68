"""The job types, and where the contract says that the status of each is found."""

from typing import Any, NamedTuple
from uuid import uuid4

from tests.support.storage import Storage


class Sample(NamedTuple):
    """A job type: the path that clients ask, the path that self links show, and its resource types."""

    job_type: str
    path: str
    self_path: str
    json_type: str = "DataflowJob"
    xml_type: str = "DataflowJob"


_LOAD = ("Dataflows/LoadDataSource/{}", "dataflows/LoadDataSource/{}")
_SERVICE = ("data/jobs/{}/$getstatus", "data/jobs/{}/$getstatus", "DataflowJob", "DataServiceJob")

SAMPLES = (
    Sample("Geocode", "Dataflows/Geocode/{}", "dataflows/Geocode/{}"),
    Sample("DataSourceComplete", *_LOAD),
    Sample("DataSourceIncremental", *_LOAD),
    Sample("DataSourceCompleteStaging", *_LOAD),
    Sample("DataSourceIncrementalStaging", *_LOAD),
    Sample("DataSourcePublishFromStaged", *_SERVICE),
    Sample("DataSourceRollback", "Dataflows/DataSourceRollback/{}", "dataflows/DataSourceRollback/{}"),
    Sample("DataSourceDelete", *_SERVICE),
    Sample("DataSourceAccess", *_SERVICE),
    Sample("DataSourceDownload", "Dataflows/DataSourceDownload/{}", "dataflows/DataSourceDownload/{}"),
)
JOB_TYPES = [sample.job_type for sample in SAMPLES]

# One path for each kind of status URL, and the output paths of the kinds that have them.
STATUS_PATHS = sorted({sample.path for sample in SAMPLES})
OUTPUT_PATHS = [f"{path}/output/succeeded" for path in STATUS_PATHS if path.startswith("Dataflows/")]


def path_of(job_type: str, reference: str) -> str:
    """Where a job of this type is asked for."""
    (path,) = [sample.path for sample in SAMPLES if sample.job_type == job_type]
    return path.format(reference)


def rich_job(storage: Storage, job_type: str = "DataSourceComplete", **properties: Any) -> str:
    """A completed job that has everything a row can have; gives its RowKey."""
    named = {} if job_type == "Geocode" else {"DataSourceName": f"Source{uuid4().hex[:8]}", "AccessId": uuid4().hex}
    outputs = {"OutputBlob": "exports/output.xml", "FailedBlob": "exports/failed.xml"}
    return storage.job(job_type, **named | outputs | properties)
