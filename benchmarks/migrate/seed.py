"""The account that is moved: data sources and jobs, as an application has made them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.model.job_ids import new_job_id
from adapters.model.ticks import from_datetime
from benchmarks.worker import rows
from tests.support.storage import Storage
from tests.support.worker_desk import Desk

OUTPUT = b"<GeocodeFeed>" + b"<GeocodeEntity />" * 500 + b"</GeocodeFeed>"


async def seed_sources(desk: Desk, sources: int, entities: int) -> None:
    """Creates the loads, each with entities of its own; a worker does them."""
    data = rows(entities)
    for number in range(sources):
        own = data.replace(b"some text", b"a text of source %d" % number)
        await desk.load(own, name=f"Source{number:02d}", access_id=f"{number:032x}", public=number % 2 == 0)


def seed_jobs(storage: Storage, jobs: int) -> None:
    """Writes finished jobs: half of them geocode jobs with an output, the others loads."""
    container = storage.blobs.get_container_client("exports")
    for number in range(jobs):
        moment = datetime.now(UTC) - timedelta(minutes=10 + number)
        created, job_id = moment.isoformat(), new_job_id(from_datetime(moment))
        counts: dict[str, Any] = {"TotalEntityCount": number, "ProcessedEntityCount": number}
        if number % 2:
            storage.job(RowKey=job_id, CreatedDate=created, DataSourceName=f"Gone{number}", **counts)
            continue
        path = f"{storage.account}/{job_id}/0123456789ab/succeeded.xml"
        container.upload_blob(path, OUTPUT)
        storage.job("Geocode", RowKey=job_id, CreatedDate=created, OutputBlob=f"exports/{path}", **counts)
