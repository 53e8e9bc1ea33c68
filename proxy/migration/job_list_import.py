"""Converts a job list saved from Bing (get-job-list) to job records."""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from urllib.parse import unquote, urlsplit

from adapters.model.job_ids import imported_job_id
from adapters.model.jobs import JobRecord, JobStatus, JobType
from adapters.model.status_aliases import parse_status
from adapters.tables.job_store import JobStore
from adapters.tables.row_keys import is_valid_key, legacy_alias
from proxy.wire.envelope import Envelope
from proxy.wire.resources import EntityCounts, JobResource

CONCURRENT_READS = 16

_ACCESS_ID = re.compile("/data/([^/]+)/[^/]+$", re.IGNORECASE)


class ImportListError(Exception):
    """The answer is not a job list that can be imported. The text names the job and what is wrong with it."""


def records_of(envelope: Envelope, account: str) -> list[JobRecord]:
    """Returns the records of a job list, with its ids as legacy ids. One list always gives the same records.

    Raises:
        ImportListError: it is an error answer, or a job in it can't be imported.
    """
    if envelope.resources is None:
        details = "; ".join(envelope.error_details)
        raise ImportListError(f"no job list but an error {envelope.status_code} {details}".rstrip())
    records = {}
    for number, job in enumerate(envelope.resources, 1):
        try:
            record = record_of(job, account)
        except ValueError as error:
            raise ImportListError(f"job {number}: {error}") from None
        records[legacy_alias(job.id)] = record
    return list(records.values())


async def changes(records: Sequence[JobRecord], jobs: JobStore, progress: Callable[[int], object]) -> list[JobRecord]:
    """Returns the records to write: new jobs, and known ones that have finished since.

    Other known jobs stay unchanged, so that an import can be repeated.

    Args:
        records: the records of the saved list.
        jobs: the store to compare with.
        progress: called with 1 after each job.
    """
    limit = asyncio.Semaphore(CONCURRENT_READS)

    async def change(record: JobRecord) -> JobRecord | None:
        async with limit:
            known = await jobs.get(record.public_id)
        progress(1)
        if known is None:
            return record
        if known.status is JobStatus.PENDING and record.status is not JobStatus.PENDING:
            return merge_finished(known, record)
        return None

    found = await asyncio.gather(*(change(record) for record in records))
    return [record for record in found if record is not None]


def merge_finished(known: JobRecord, saved: JobRecord) -> JobRecord:
    """A listed job with what only the row knows: its id, its description, and blobs that were named since."""
    row = replace(saved, row_key=known.row_key, output_blob=known.output_blob, failed_blob=known.failed_blob)
    return replace(row, description=known.description, access_id=saved.access_id or known.access_id)


def record_of_load(job: JobResource, listed: JobRecord | None, account: str, name: str) -> JobRecord | None:
    """The row of a load by its status answer, which has the user's own description.

    Args:
        job: the status answer.
        listed: the row by the job list, where the list has it still.
        account: the account that the row is for.
        name: the data source.
    """
    try:
        row = listed or record_of(replace(job, name=name, description=JobType.COMPLETE.value), account)
    except ValueError:
        return None
    own = None if job.description == row.job_type.value else job.description
    return replace(row, description=own or None, access_id=row.access_id or access_id_of(job))


def record_of(job: JobResource, account: str) -> JobRecord:
    """Returns the record of one job of a list.

    Raises:
        ValueError: it can't be imported; the text says why.
    """
    if not job.id or not is_valid_key(legacy_alias(job.id)):
        raise ValueError("its id can't be kept")
    description = (job.description or "").strip()
    if description not in set(JobType):
        raise ValueError("its description is no job type; is this a saved answer of ListJobs?")
    status = parse_status(job.status.strip())
    if status is None:
        raise ValueError("its status is not known")
    counts = job.counts or EntityCounts(0, 0, 0)
    return JobRecord(
        row_key=imported_job_id(job.created, account, job.id),
        job_type=JobType(description),
        status=status,
        created=job.created,
        completed=job.completed,
        data_source_name=(job.name or "").strip() or None,  # the documents show one with a blank behind it
        access_id=access_id_of(job),
        error_message=job.error_message,
        total=counts.total,
        processed=counts.processed,
        failed=counts.failed,
        legacy_id=job.id,
    )


def access_id_of(job: JobResource) -> str | None:
    """Returns the access id in the link to the data source: .../REST/v1/data/{accessId}/{dataSourceName}."""
    for link in job.links:
        if link.role.lower() == "datasource":
            match = _ACCESS_ID.search(urlsplit(link.url.strip()).path)
            return unquote(match[1]) if match else None
    return None
