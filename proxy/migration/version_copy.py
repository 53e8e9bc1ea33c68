"""Copies one version of a data source: download, load, comparison. Each step is in the state before the next begins."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from adapters.model.data_sources import DataSourceVersion
from adapters.model.job_ids import imported_job_id
from adapters.model.jobs import JobRecord, JobStatus
from adapters.model.status_aliases import parse_status
from adapters.model.ticks import PER_SECOND, Ticks, parse_ticks
from proxy.comparison.service_document import ListedSource
from proxy.migration.backoff import FAILURES, Backoff
from proxy.migration.errors import NotCopiedError
from proxy.migration.job_list_import import record_of_load
from proxy.migration.source_account import SourceAccount
from proxy.migration.state import CopyState, MigrationState, remove_work_folder
from proxy.migration.target_account import PlannedLoad, TargetAccount
from proxy.wire.resources import JobResource
from proxy.worker.reader_tasks import DATA, EntityDigest

MAX_COPIES = 3
"""A data source that changes while it is copied is copied again, so often at most."""

UPLOAD_TICKS = 60 * PER_SECOND
"""A staged version is listed with the date in its job's id, which may differ this much from the job's creation."""

LOADED_HERE = (
    "it was loaded here since the last run, or later than at the service, and stays as it is; if the service's data is "
    "to replace it, delete it here and run the command again"
)


def stamp_of(version: ListedSource) -> str:
    """What differs between all versions of a data source: the service's date and the id of the job that made it."""
    return f"{version.updated} {version.job_id}".strip()


def find_same_place(version: ListedSource, versions: list[ListedSource]) -> ListedSource | None:
    """The version that is published, or staged, as this one is."""
    places = (each for each in versions if each.is_staging == version.is_staging)
    return next((each for each in places if each.is_staging or each.is_active), None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one version. `differences` is empty where both sides are the same."""

    state: CopyState
    was_loaded: bool
    differences: str = ""


class VersionCopier:
    """Copies versions, several at the service, one at a time in this machine's memory."""

    def __init__(self, source: SourceAccount, target: TargetAccount, state: MigrationState, backoff: Backoff) -> None:
        self._source = source
        self._target = target
        self._state = state
        self._backoff = backoff
        self._listed: Mapping[str, JobRecord] = {}
        self._turn = asyncio.Lock()

    def know_jobs(self, listed: Mapping[str, JobRecord]) -> None:
        """Takes the rows of the service's job list, by their ids in lower case."""
        self._listed = listed

    async def is_copied(self, version: ListedSource, state: CopyState) -> bool:
        """Whether a version is here, and was compared.

        Raises:
            NotCopiedError: something else has its place here.
        """
        here = await self._target.find_version(version)
        if here is not None and here.job_id == state.load_job:  # an earlier run ended after the switch
            state.version = here.job_id
        is_here = here is not None and here.job_id == state.version
        if here is not None and state.version and not is_here:
            raise NotCopiedError(LOADED_HERE)
        return is_here and state.is_done and state.updated == stamp_of(version) and not state.verdict

    async def copy(self, version: ListedSource) -> Outcome:
        """Copies a version, unless it is here already; again where it changes meanwhile.

        Raises:
            NotCopiedError: it can't be copied, or keeps changing.
        """
        state = self._state.copy_of(version.name, staged=version.is_staging)
        if await self.is_copied(version, state):
            return Outcome(state, was_loaded=False)
        was_loaded = False
        for _ in range(MAX_COPIES):
            started = time.monotonic()
            was_loaded |= await self._copy_once(version, state)
            state.seconds += time.monotonic() - started
            self._state.save()
            current = find_same_place(version, await self._source.list_versions(version))
            if current is None:
                raise NotCopiedError("it was deleted or published at the service while it was copied; run again")
            if stamp_of(current) == stamp_of(version):
                return Outcome(state, was_loaded, state.verdict)
            version = current
        raise NotCopiedError(
            f"it changed {MAX_COPIES} times while it was copied; run the command again when nothing loads it"
        )

    async def _copy_once(self, version: ListedSource, state: CopyState) -> bool:
        """Copies a version as it is now; returns whether it was loaded."""
        if state.updated != stamp_of(version) or state.verdict:
            state.begin(stamp_of(version))
            self._state.save()
        folder = self._state.work_folder(version.name, staged=version.is_staging)
        if not await self._target.has_loaded(version, state.load_job):
            if not (state.bytes and (folder / DATA).exists()):
                await self._download(version, state)
            async with self._turn:
                found = await self._digest_file(folder, state)
                state.schema, state.digest = found.schema, found.digest
                state.entities, state.failed = found.entities, found.failed
                here = await self._target.find_version(version)
                if here is not None:
                    digest = await self._target.digest_version(here, folder)
                    if has_same_content(state, digest):
                        self._end(version, state, here, digest)
                        return False
                    updated = _read_date(version.updated)
                    if here.job_id != state.version and updated is not None and here.updated > updated:
                        raise NotCopiedError(LOADED_HERE)  # not by a migration, of which the state may be lost
        record = await self._choose_job(version, state)
        state.load_job = record.row_key
        self._state.save()
        async with self._turn:
            planned = PlannedLoad(record, _read_date(version.updated), state.entities, state.failed)
            await self._target.load(version, planned, folder)
            here = await self._target.find_version(version)
            if here is None:
                raise NotCopiedError("its new version is gone: something else deletes it here")
            digest = await self._target.digest_version(here, folder)
        self._end(version, state, here, digest)
        return True

    def _end(self, version: ListedSource, state: CopyState, here: DataSourceVersion, digest: EntityDigest) -> None:
        state.version, state.is_done = here.job_id, True
        state.verdict = find_differences(state, digest)
        self._state.save()
        remove_work_folder(self._state.work_folder(version.name, staged=version.is_staging))

    async def _digest_file(self, folder: Path, state: CopyState) -> EntityDigest:
        try:
            return await self._target.digest_file(folder)
        except NotCopiedError:  # the next run is to ask for another export
            state.download_job, state.bytes = "", 0
            self._state.save()
            raise

    async def _choose_job(self, version: ListedSource, state: CopyState) -> JobRecord:
        """The row of the load: that of the service's own job, or a new one where the service has forgotten it."""
        job, listed = None, self._listed.get(version.job_id.lower())
        with suppress(NotCopiedError):  # it only says more of the job
            job = await self._source.get_load(version)
        row = listed if job is None else record_of_load(job, listed, self._target.account.name, version.name)
        uploaded = _read_date(version.updated) if version.is_staging else None
        if row is not None and uploaded is not None and abs(uploaded - row.created) < UPLOAD_TICKS:
            row = replace(row, row_key=imported_job_id(uploaded, self._target.account.name, row.public_id))
        if row is None or row.status is JobStatus.PENDING or state.load_job not in {"", row.row_key}:
            return self._target.new_load(version, state.load_job or None)
        if state.load_job or await self._target.is_free(version, row.row_key):
            return replace(row, access_id=version.access_id, description=row.description or version.description or None)
        return self._target.new_load(version)

    async def _download(self, version: ListedSource, state: CopyState) -> None:
        """Has the service export the version, and fetches that."""
        job = None
        if state.download_job:
            job = await self._source.find_download(version, state.download_job)
        if job is None or parse_status(job.status) is JobStatus.ABORTED:
            job = await self._create_download(version, state)
        number = missed = 0
        while parse_status(job.status) not in {JobStatus.COMPLETED, JobStatus.ABORTED}:
            await self._backoff.wait_for_job(number)
            number += 1
            found = await self._source.find_download(version, job.id)
            missed = 0 if found is not None else missed + 1
            if missed == FAILURES:  # another one would count against the service's limits too
                state.download_job = ""
                raise NotCopiedError(f"the service does not find the download {job.id} that it began; run again")
            job = found or job
        if parse_status(job.status) is JobStatus.ABORTED:
            state.download_job = ""
            raise NotCopiedError(f"the service can't export it: {job.error_message or 'it gives no reason'}")
        state.expected = 0 if job.counts is None else job.counts.total
        folder = self._state.work_folder(version.name, staged=version.is_staging)
        size = await self._source.fetch(find_output(job, "succeeded") or _default_output(version), folder / DATA)
        if size is None:
            state.download_job = ""
            raise NotCopiedError("the service does not have its export any more; run the command again")
        state.bytes = size
        self._state.save()

    async def _create_download(self, version: ListedSource, state: CopyState) -> JobResource:
        job = await self._source.create_download(version)
        state.download_job = job.id
        self._state.save()
        return job


def find_output(job: JobResource, name: str) -> str | None:
    """The link to an output of a job."""
    return next((each.url for each in job.links if each.role.lower() == "output" and each.name == name), None)


def _read_date(text: str) -> Ticks | None:
    """A date of the service document; None where it is none."""
    try:
        return parse_ticks(text)
    except ValueError:
        return None


def _default_output(version: ListedSource) -> str:
    """The path that clients build where the answer has no link."""
    name = version.parent.rpartition("/")[2]
    return f"Dataflows/DataSourceDownload/{name}/output/succeeded"


def has_same_content(state: CopyState, here: EntityDigest) -> bool:
    """Whether a version here holds what the service's file holds."""
    return (here.schema, here.digest) == (state.schema, state.digest)


def find_differences(state: CopyState, here: EntityDigest) -> str:
    """What differs between the service's file and the version here; empty where nothing does."""
    found = []
    if state.failed:
        found.append(f"{state.failed} entities break a rule of loads: see output/failed of the job {state.version}")
    if state.expected and state.expected != state.entities + state.failed:
        found.append(f"the service counts {state.expected} entities, and its file has {state.entities + state.failed}")
    if here.entities != state.entities:
        found.append(f"{state.entities} entities there, {here.entities} here")
    if here.schema != state.schema:
        found.append("the schema")
    if here.digest != state.digest and here.entities == state.entities:
        found.append("the values of entities")
    return "; ".join(found)
