"""Copies the job list, and the outputs that the service still has of finished jobs."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from adapters.model.jobs import BlobPath, JobRecord, JobStatus, JobType
from adapters.tables.job_transactions import MAX_RECORDS
from adapters.tables.properties import MalformedRowError
from proxy.migration.errors import NotCopiedError
from proxy.migration.job_list_import import merge_finished, record_of, record_of_load
from proxy.migration.progress import Progress
from proxy.migration.source_account import SourceAccount
from proxy.migration.state import OUTPUTS, MigrationState
from proxy.migration.target_account import TargetAccount
from proxy.migration.version_copy import find_output
from proxy.wire.resources import JobResource

AT_ONCE = 8

# Bytes of an output's beginning that show whether it is XML.
_BEGINNING = 64


@dataclass
class JobCounts:
    """What became of the job list. `problems` names jobs that were not copied as a whole."""

    listed: int = 0
    written: int = 0
    outputs: int = 0
    output_bytes: int = 0
    pending: int = 0
    problems: list[str] = field(default_factory=list)


class JobCopier:
    """Copies jobs with their outputs; what is done is in the state."""

    def __init__(self, source: SourceAccount, target: TargetAccount, state: MigrationState, progress: Progress) -> None:
        self._source = source
        self._target = target
        self._state = state
        self._progress = progress
        self._limit = asyncio.Semaphore(AT_ONCE)
        self._failed = set[str]()
        self.counts = JobCounts()

    async def read_list(self) -> Mapping[str, JobRecord]:
        """The service's job list as rows, by their ids in lower case."""
        counts, records = self.counts, list[JobRecord]()
        try:
            jobs = (await self._source.list_jobs()).resources or ()
        except NotCopiedError as error:
            counts.problems.append(f"the job list can't be copied: {error}")
            return {}
        for job in jobs:
            try:
                records.append(record_of(job, self._target.account.name))
            except ValueError as error:
                counts.problems.append(f"job {job.id}: {error}")
        counts.listed = len(jobs)
        counts.pending = sum(record.status is JobStatus.PENDING for record in records)
        return {record.public_id.lower(): record for record in records}

    def find_new(self, listed: Mapping[str, JobRecord]) -> list[JobRecord]:
        """The jobs of the list that are not copied yet."""
        return [record for job_id, record in listed.items() if job_id not in self._state.jobs]

    async def copy(self, records: list[JobRecord]) -> None:
        """Copies jobs of the list. A row is written with its outputs, and these before it."""
        self._progress.begin("jobs", len(records))
        for start in range(0, len(records), MAX_RECORDS):
            chunk = records[start : start + MAX_RECORDS]
            rows = await asyncio.gather(*(self._copy_job(record) for record in chunk))
            found = [row for row in rows if row is not None]
            if found:
                await self._target.account.jobs.upsert(found)
            self.counts.written += len(found)
            done = {each.public_id.lower() for each in chunk if each.status is not JobStatus.PENDING}
            self._state.jobs |= done - self._failed
            self._state.save()

    async def _copy_job(self, record: JobRecord) -> JobRecord | None:
        """The row to write; None where it is here already."""
        async with self._limit:
            try:
                known = await self._target.account.jobs.get(record.public_id)
                row = None if known is not None and known.legacy_id is None else await self._build_row(record, known)
            except MalformedRowError as error:
                row = None
                self._note_failure(record, error)
            self._progress.step(f"job {record.public_id}")
            return row

    async def _build_row(self, record: JobRecord, known: JobRecord | None) -> JobRecord | None:
        if record.status is JobStatus.PENDING and known is not None:
            return None
        row = record if known is None else merge_finished(known, record)
        if record.status is not JobStatus.PENDING:
            try:
                row = await self._with_outputs(row)
            except NotCopiedError as error:  # the row is useful without its outputs, which the next run tries again
                self._note_failure(record, error)
        return None if row == known else row

    def _note_failure(self, record: JobRecord, error: Exception) -> None:
        self._failed.add(record.public_id.lower())
        self.counts.problems.append(f"job {record.public_id}: {error}")

    async def _with_outputs(self, row: JobRecord) -> JobRecord:
        """The row with the outputs that the service has and this side lacks, and with the job's own description."""
        job = await self._source.get_job(row)
        if job is None:
            return row
        about = record_of_load(job, row, self._target.account.name, row.data_source_name or "") or row
        row = replace(about, description=about.description or row.description)
        with TemporaryDirectory(prefix=OUTPUTS, dir=self._state.folder) as folder:
            place = Path(folder)
            succeeded = row.output_blob or await self._copy_output(job, row, "succeeded", place)
            failed = row.failed_blob or await self._copy_output(job, row, "failed", place)
        return replace(row, output_blob=succeeded, failed_blob=failed)

    async def _copy_output(self, job: JobResource, row: JobRecord, output: str, folder: Path) -> BlobPath | None:
        url, file = find_output(job, output), folder / output
        size = None if url is None else await self._source.fetch(url, file)
        if size is None:
            return None
        self.counts.outputs += 1
        self.counts.output_bytes += size
        with file.open("rb") as opened:
            is_xml = opened.read(_BEGINNING).lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<")
        name = output if row.job_type is JobType.GEOCODE else f"{row.data_source_name or 'job'}-{output}"
        return await self._target.upload_output(file, row, f"{name}{'.xml' if is_xml else '.txt'}")
