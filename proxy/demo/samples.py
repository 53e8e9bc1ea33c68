"""The sample jobs of the demo: every job type in every state, with real exports."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

from adapters.model.job_ids import new_job_id
from adapters.model.jobs import BlobPath, JobRecord, JobStatus, JobType
from adapters.model.ticks import from_datetime

DATA_SOURCE = "FourthCoffeeSample"
ENTITY_TYPE = "FourthCoffeeShops"
ACCESS_ID = "20181f26d9e94c81acdf9496133d4f23"
DESCRIPTION = "Coffee shops of Microsoft's examples"

# Ids as Bing gave them: jobs that were imported keep theirs, and these are the ones that the demo prints.
LOAD_ID = "f8293dc72ac04942b7cb003c9608c547"
GEOCODE_ID = "47e6703c22d34df98d48674b803f17cb"
PENDING_ID = "9a2a54f6ce2f4d0f94fda82d19f5d4b1"
PUBLISH_ID = "5b1e0d3fd1a34c0b8d2df3f2f9f3a7c6"

CONTAINER = "exports"


@dataclass(frozen=True, slots=True)
class Shop:
    """An entity of the sample data source."""

    entity_id: str
    name: str
    locality: str
    latitude: float
    longitude: float


# The sample data source as a load in pipe. Most of its shops stand in examples of the Bing documents.
DATA = Path(__file__).with_name("FourthCoffee.txt")


@dataclass(frozen=True, slots=True)
class SampleLoad:
    """A load that the demo has done by a worker."""

    job_type: JobType
    operation: str
    file: Path
    description: str


# Two versions, the second with a row that is no entity; and a load that is Aborted, for it has no line of a schema.
LOADS = (
    SampleLoad(JobType.COMPLETE, "complete", DATA, DESCRIPTION),
    SampleLoad(JobType.INCREMENTAL, "incremental", DATA.with_name("FourthCoffee-changes.txt"), "A shop in Tampa"),
    SampleLoad(
        JobType.INCREMENTAL, "incremental", DATA.with_name("FourthCoffee-spreadsheet.csv"), "Saved from a spreadsheet"
    ),
)


def _shops() -> tuple[Shop, ...]:
    _, columns, *lines = DATA.read_text(encoding="utf-8").splitlines()
    names = [column.partition("(")[0] for column in columns.split("|")]
    shops = (dict(zip(names, line.split("|"), strict=True)) for line in lines)
    return tuple(
        Shop(
            shop["EntityID"],
            shop["Name"],
            shop["PrimaryCity"],
            float(shop["Latitude"]),
            float(shop["Longitude"]),
        )
        for shop in shops
    )


SHOPS = _shops()

# What a geocode job makes of addresses.csv with the stand-in of Azure Maps, but for the trace ids.
_GEOCODED = Path(__file__).with_name("addresses-succeeded.csv").read_bytes()
_NOT_GEOCODED = Path(__file__).with_name("addresses-failed.csv").read_bytes()
ROWS_FOUND, ROWS_NOT_FOUND = (text.count(b"\n") - len(("title", "header")) for text in (_GEOCODED, _NOT_GEOCODED))

_DOWNLOADED = BlobPath(CONTAINER, "FourthCoffeeSample.xml")
_SUCCEEDED, _FAILED = BlobPath(CONTAINER, "geocode/succeeded.csv"), BlobPath(CONTAINER, "geocode/failed.csv")
_LOAD_LOG = BlobPath(CONTAINER, "load/failed.txt")
_OUTPUTS: dict[JobType, tuple[BlobPath, BlobPath | None]] = {
    JobType.DOWNLOAD: (_DOWNLOADED, None),
    JobType.GEOCODE: (_SUCCEEDED, _FAILED),
}


def exports() -> dict[BlobPath, bytes]:
    """The exports that the sample jobs name."""
    return {
        _DOWNLOADED: _download(),
        _SUCCEEDED: _GEOCODED,
        _FAILED: _NOT_GEOCODED,
        _LOAD_LOG: b"1005: Latitude: 147.66 is not between -90 and 90\r\n",
    }


def jobs(now: datetime | None = None) -> Iterator[JobRecord]:
    """A job of each type in each state, the newest first, within the last days."""
    now = now or datetime.now(UTC)
    ids = {
        (JobType.COMPLETE, JobStatus.COMPLETED): LOAD_ID,
        (JobType.COMPLETE, JobStatus.PENDING): PENDING_ID,
        (JobType.GEOCODE, JobStatus.COMPLETED): GEOCODE_ID,
        (JobType.PUBLISH, JobStatus.COMPLETED): PUBLISH_ID,
    }
    # A data source's newest download is the one that its name leads to: the completed one comes first in time order.
    states = (JobStatus.COMPLETED, JobStatus.ABORTED, JobStatus.PENDING)
    for number, (job_type, status) in enumerate(product(JobType, states)):
        created = now - timedelta(hours=2 * number + 1, microseconds=123_457)
        yield _job(job_type, status, created, ids.get((job_type, status)))


def _job(job_type: JobType, status: JobStatus, created: datetime, legacy_id: str | None) -> JobRecord:
    done, failed = status is JobStatus.COMPLETED, status is JobStatus.ABORTED
    ticks = from_datetime(created)
    is_geocoding = job_type is JobType.GEOCODE
    counted = job_type not in {JobType.PUBLISH, JobType.DELETE, JobType.ACCESS}
    output, log = _OUTPUTS.get(job_type, (None, None)) if done else (None, None)
    if failed and counted and not is_geocoding:
        log = _LOAD_LOG
    entities = ROWS_FOUND + ROWS_NOT_FOUND if is_geocoding else len(SHOPS)
    return JobRecord(
        row_key=new_job_id(ticks),
        job_type=job_type,
        status=status,
        created=ticks,
        completed=None if status is JobStatus.PENDING else from_datetime(created + timedelta(seconds=66.156)),
        data_source_name=None if is_geocoding else DATA_SOURCE,
        access_id=ACCESS_ID if done else None,
        description=DESCRIPTION if job_type is JobType.COMPLETE else None,
        error_message="The data is empty." if failed else None,
        total=entities if counted and not failed else 0,
        processed=entities if counted and done else 0,
        failed=ROWS_NOT_FOUND if is_geocoding and done else 0,
        output_blob=output,
        failed_blob=log,
        legacy_id=legacy_id,
    )


def _download() -> bytes:
    columns = ("EntityID", "Name", "Locality", "Latitude", "Longitude")
    types = ("string", "string", "string", "double", "double")
    declared = "\n".join(
        f'              <xs:element name="{name}" type="xs:{kind}" minOccurs="0" />'
        for name, kind in zip(columns, types, strict=True)
    )
    shops = "\n".join(
        f"  <{ENTITY_TYPE}>\n    <EntityID>{shop.entity_id}</EntityID>\n"
        f"    <Name>{shop.name.replace('&', '&amp;')}</Name>\n    <Locality>{shop.locality}</Locality>\n"
        f"    <Latitude>{shop.latitude}</Latitude>\n    <Longitude>{shop.longitude}</Longitude>\n"
        f"  </{ENTITY_TYPE}>"
        for shop in SHOPS
    )
    return f"""<?xml version="1.0" encoding="utf-8"?>
<{DATA_SOURCE}>
  <xs:schema id="{DATA_SOURCE}" xmlns:xs="http://www.w3.org/2001/XMLSchema"\
 xmlns:msdata="urn:schemas-microsoft-com:xml-msdata">
    <xs:element name="{DATA_SOURCE}" msdata:IsDataSet="true">
      <xs:complexType>
        <xs:choice minOccurs="0" maxOccurs="unbounded">
          <xs:element name="FourthCoffeeShops">
            <xs:complexType><xs:sequence>
{declared}
            </xs:sequence></xs:complexType>
          </xs:element>
        </xs:choice>
      </xs:complexType>
      <xs:unique name="Key" msdata:PrimaryKey="true">
        <xs:selector xpath=".//FourthCoffeeShops" /><xs:field xpath="EntityID" />
      </xs:unique>
    </xs:element>
  </xs:schema>
{shops}
</{DATA_SOURCE}>
""".encode()
