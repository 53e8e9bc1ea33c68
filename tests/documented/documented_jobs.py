"""The jobs behind the documents' examples.

They hold the values that the XML examples print, since those have all their ticks. Where the JSON answer of the same
document prints other values, it has jobs of its own.
"""

from dataclasses import replace

from adapters.model.job_ids import imported_job_id
from adapters.model.jobs import BlobPath, JobRecord, JobStatus, JobType
from adapters.model.ticks import parse_ticks

OUTPUT = BlobPath("exports", "output.xml")


def _job(legacy_id: str, job_type: JobType, created: str, completed: str | None = None) -> JobRecord:
    """A job as an import keeps it; without a date of completion it is pending."""
    ticks = parse_ticks(created)
    return JobRecord(
        row_key=imported_job_id(ticks, "contoso", legacy_id),
        legacy_id=legacy_id,
        job_type=job_type,
        status=JobStatus.PENDING if completed is None else JobStatus.COMPLETED,
        created=ticks,
        completed=None if completed is None else parse_ticks(completed),
    )


_DELETE = replace(
    _job("0deea07139a742e7a03a74bb4784a738", JobType.DELETE, "2013-01-03T17:06:23.546903-08:00"),
    data_source_name="DeleteADataSource",
)
_COMPLETE = replace(
    _job(
        "28217d5f12744c33be7d09f6bce76eb3",
        JobType.COMPLETE,
        "2013-01-03T15:21:58.2262338-08:00",
        "2013-01-03T15:22:15.7979398-08:00",
    ),
    data_source_name="CreateOrUpdateADataSource",
    total=3,
    processed=3,
)
_GEOCODE = replace(
    _job(
        "47e6703c22d34df98d48674b803f17cb",
        JobType.GEOCODE,
        "2013-01-02T15:32:24.1743172-08:00",
        "2013-01-02T15:32:27.1934569-08:00",
    ),
    output_blob=OUTPUT,
    total=1234,
    processed=1234,
)
_INCREMENTAL = replace(
    _job(
        "82876e0717114bc1ad2b94e9111e4206",
        JobType.INCREMENTAL,
        "2012-12-20T11:23:08.6682264-08:00",
        "2012-12-20T11:23:19.7245133-08:00",
    ),
    data_source_name="IncrementalUpdateOfDataSource",
    total=4321,
    processed=4321,
)
_ACCESS = replace(
    _job(
        "9a25a8b26e9c4d569ebfee76ea940160",
        JobType.ACCESS,
        "2012-12-20T11:14:33.2400466-08:00",
        "2012-12-20T11:15:36.5972052-08:00",
    ),
    data_source_name="SetDataSourcePublicOrPrivate",
    access_id="c589f4fb424048428d602ff6cd0a49eb",
)
JOB_LIST_XML = (_DELETE, _COMPLETE, _GEOCODE, _INCREMENTAL, _ACCESS)
JOB_LIST_JSON = (
    _DELETE,
    _COMPLETE,
    replace(_GEOCODE, total=3, processed=3),
    replace(_INCREMENTAL, total=4, processed=4),
    _ACCESS,
)

LOAD_ID = "f8293dc72ac04942b7cb003c9608c547"
LOAD_COMPLETED = replace(
    _job(LOAD_ID, JobType.COMPLETE, "2010-11-13T12:58:39.3157889-08:00", "2010-11-13T12:59:45.4724897-08:00"),
    data_source_name="FourthCoffeeSample",
    access_id="20181f26d9e94c81acdf9496133d4f23",
)
LOAD_PENDING = replace(LOAD_COMPLETED, status=JobStatus.PENDING, completed=None)

# Completed, yet without a date of completion: the page has it so.
DOWNLOAD_XML = replace(
    _job("8ccf2a5b428d423c92759150dcddc338", JobType.DOWNLOAD, "2011-11-17T12:50:08.8179772-08:00"),
    status=JobStatus.COMPLETED,
    data_source_name="MyDataSourceName",
    output_blob=OUTPUT,
    total=300,
)
DOWNLOAD_JSON = replace(DOWNLOAD_XML, created=parse_ticks("2011-11-17T20:38:31Z"))
