"""Geocode jobs at the desk."""

import json
from dataclasses import replace
from typing import Any

from adapters.blobs.store import UPLOADS
from adapters.model.job_ids import new_job_id
from adapters.model.jobs import BlobPath, JobRecord, JobStatus, JobType
from proxy.worker.geocoding.calls import Geocoder
from proxy.worker.job import now
from tests.support.worker_desk import Desk

HEAD = (
    "Bing Spatial Data Services, 2.0\nId,GeocodeRequest/Query,GeocodeResponse/Point/Latitude,StatusCode,FaultReason\n"
)


def rows(count: int, first: int = 0, query: str = "place {}") -> bytes:
    """A file of so many different rows."""
    return (HEAD + "".join(f"{number},{query.format(number)},,,\n" for number in range(first, first + count))).encode()


def with_maps(desk: Desk, maps: Geocoder, **limits: Any) -> Desk:
    """The desk with this geocoder for its account."""
    changed = replace(desk.context.limits, **limits)
    return replace(desk, context=replace(desk.context, limits=changed, geocoder_for=lambda _: maps))


async def create(desk: Desk, data: bytes, form: str = "csv") -> str:
    """Creates a geocode job as a request does."""
    job_id = new_job_id(now())
    upload = BlobPath(UPLOADS, f"{desk.account.name}/{job_id}")
    await desk.account.blobs.upload_bytes(data, upload)
    return await create_row(desk, job_id, {"input": form, "upload": str(upload)})


async def create_row(desk: Desk, job_id: str, work: dict[str, str]) -> str:
    """Creates a job with this payload."""
    record = JobRecord(row_key=job_id, job_type=JobType.GEOCODE, status=JobStatus.PENDING, created=now())
    await desk.account.jobs.create(record, json.dumps(work))
    await desk.account.queue.enqueue(job_id)
    return job_id


async def geocode(desk: Desk, data: bytes, form: str = "csv") -> JobRecord:
    """The record of a job after all jobs in the queue are done."""
    return await desk.done(create(desk, data, form))


async def outputs(desk: Desk, job: JobRecord) -> tuple[str, str]:
    """Both outputs; an empty text where there is none."""
    paths = job.output_blob, job.failed_blob
    succeeded, failed = [await desk.text(path) if path else "" for path in paths]
    return succeeded, failed
