"""Writes the demo's keys, and the samples into its account: job rows, their exports, a data source by a real load."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from adapters.account import AccountStorage
from adapters.accounts import AccountRegistry
from adapters.blobs.store import UPLOADS
from adapters.errors import AnnouncementError, NameTakenError
from adapters.model.data_sources import DataSource
from adapters.model.job_ids import new_job_id
from adapters.model.jobs import BlobPath, JobRecord, JobStatus
from adapters.model.key_records import KeyRecord
from adapters.tables.key_changes import KeyChanges
from adapters.tables.key_table import KeyTable
from proxy.bootstrap import storage_options
from proxy.cli.errors import CommandError
from proxy.cli.worker import reader_limits, worker_limits
from proxy.demo import samples
from proxy.demo.usage_samples import sample_hours
from proxy.keyring.file import load_keyring
from proxy.keyring.keyring import DIGEST_PREFIX
from proxy.settings import Settings
from proxy.worker.job import WorkerContext, now
from proxy.worker.lease import run_leased_job
from proxy.worker.reader_pool import ReaderPool

LOAD_SECONDS = 60


async def write_samples(settings: Settings, name: str, keys: Sequence[KeyRecord]) -> None:
    """Writes the samples anew, so that they lie within the last days however old the emulator's volume is.

    Args:
        settings: the demo's settings, with its key ring, which has a key store.
        name: the account.
        keys: two keys of the account. The first is a master key: it owns the data source. The other one queries.
    """
    ring = load_keyring(settings)
    if ring.key_store is not None:
        await _write_keys(KeyTable(ring.key_store, settings.keys_table, settings.storage_timeout), keys)
    async with AccountRegistry(ring.accounts, storage_options(settings), maps=ring.maps) as accounts:
        account = accounts[name]
        await account.create_missing()
        await account.jobs.delete_all()
        await account.jobs.upsert(list(samples.jobs()))
        for path, content in samples.exports().items():
            await account.blobs.upload_bytes(content, path)
        for hour, usages in sample_hours(datetime.now(UTC), *keys):
            # The same row at each start, so that an emulator with a volume holds each hour once.
            await account.usage.write(hour, "samples", usages)
        async with asyncio.timeout(LOAD_SECONDS):
            await _load_data_source(account, settings, keys[0])


async def _write_keys(table: KeyTable, keys: Sequence[KeyRecord]) -> None:
    """Puts keys into force, also those that were revoked in an emulator with a volume.

    Raises:
        CommandError: another key has the name of one, or a change could not be announced.
    """
    try:
        await table.create()
        changes = KeyChanges(table)
        for key in keys:
            if not await changes.add(replace(key, created=now())):
                await changes.reinstate(key.digest)
    except (NameTakenError, AnnouncementError) as error:
        raise CommandError(f"the demo's keys: {error}") from None
    finally:
        await table.close()


async def _load_data_source(account: AccountStorage, settings: Settings, master_key: KeyRecord) -> None:
    """Loads the sample data source as a worker does, under the access id that the sample jobs name."""
    source = DataSource(name=samples.DATA_SOURCE, access_id=samples.ACCESS_ID, created=now())
    await account.data_sources.change(samples.DATA_SOURCE, lambda found: found or source)
    readers = ReaderPool(reader_limits(settings))
    try:
        with TemporaryDirectory() as folder:
            context = WorkerContext(worker_limits(settings), Path(folder), readers)
            for load in samples.LOADS:
                await _work_until_done(account, await _create_load(account, load, master_key), context)
    finally:
        await readers.close()


async def _create_load(account: AccountStorage, load: samples.SampleLoad, master_key: KeyRecord) -> str:
    """Creates a job as a request does, and returns its id."""
    created = now()
    record = JobRecord(
        row_key=new_job_id(created),
        job_type=load.job_type,
        status=JobStatus.PENDING,
        created=created,
        data_source_name=samples.DATA_SOURCE,
        access_id=samples.ACCESS_ID,
        description=load.description,
    )
    data = BlobPath(UPLOADS, f"{account.name}/{record.row_key}")

    async def body() -> AsyncIterator[bytes]:
        yield load.file.read_bytes()

    await account.blobs.write(data, body())
    work = {
        "operation": load.operation,
        "input": "pipe",
        "upload": str(data),
        "public": None,
        "access_id": samples.ACCESS_ID,
        "master_key": f"{DIGEST_PREFIX}{master_key.digest}",
        "query_key": None,
    }
    await account.jobs.create(record, json.dumps(work))
    await account.queue.enqueue(record.row_key)
    return record.row_key


async def _work_until_done(account: AccountStorage, job_id: str, context: WorkerContext) -> None:
    """Does the jobs of the queue until this one is done. An emulator with a volume may hold others: those too."""
    while True:
        found = await account.jobs.get(job_id)
        if found is not None and found.status is not JobStatus.PENDING:
            return
        lease = await account.queue.receive()
        if lease is not None:
            await run_leased_job(account, lease, context, asyncio.Event())
