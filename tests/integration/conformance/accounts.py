"""Accounts to judge: rows of every kind, the samples of the demo, and nothing."""

import asyncio
from datetime import timedelta

from adapters.account import StorageOptions
from adapters.accounts import AccountRegistry
from adapters.blobs.sas_links import upload
from adapters.credentials.config import ConnectionStringConfig
from proxy.conformance.client import Target
from proxy.conformance.collector import survey
from proxy.conformance.recording import Recording
from proxy.conformance.target import parse_base_url
from proxy.demo import samples
from tests.support.job_samples import JOB_TYPES, rich_job
from tests.support.live import MASTER, QUERY, LiveServer
from tests.support.storage import Storage, ago, date, int64

ODD_NAME = "Shop`~!$^_={}9"


def record_of(server: LiveServer, *, query_key: str | None = QUERY) -> Recording:
    """All that is asked of a live server."""
    return survey(Target(parse_base_url(server.url), MASTER, query_key))


def write_samples(storage: Storage) -> None:
    """The sample jobs of the demo, with their exports."""

    async def write() -> None:
        options = StorageOptions(storage.table_name, timedelta(hours=1), 5)
        async with AccountRegistry(
            {storage.account: ConnectionStringConfig(storage.connection_string)}, options
        ) as accounts:
            account = accounts[storage.account]
            await account.jobs.put(list(samples.jobs()))
            async with account.blob_service() as blobs:
                for path, content in samples.exports().items():
                    await upload(blobs, path, content)

    asyncio.run(write())


def write_every_kind(storage: Storage) -> None:
    """Rows of every type in every state, in every status word, and of all that a row may have."""
    outputs = {
        "OutputBlob": storage.export(b"<a/>" * 100),
        "FailedBlob": storage.export(b"row 7: no latitude", "log.txt"),
    }
    texts = {"Description": "Köln & <Umgebung>\x01\r\n\u2028/", "DataSourceName": ODD_NAME}
    counts = {"TotalEntityCount": int64(5_000_000_000), "ProcessedEntityCount": 7, "FailedEntityCount": "many"}
    for hours, job_type in enumerate(JOB_TYPES, 1):
        for word in ("Queued", "SUCCEEDED", "TimedOut", *(("Completed", "Dreaming") if job_type == "Geocode" else ())):
            ended = {} if word in {"Queued", "Completed"} else {"CompletedDate": date(ago(minutes=5))}
            unlinked = {"FailedBlob": ""} if (job_type, word) == ("DataSourceAccess", "TimedOut") else {}
            created = ago(hours=hours)
            rich_job(
                storage, job_type, status=word, CreatedDate=created, **outputs | unlinked, **texts, **counts, **ended
            )
    storage.job("Geocode", "Completed", CreatedDate=ago(days=14, hours=23))
    storage.job("Geocode", "Completed", CreatedDate=ago(days=15, hours=1))
    # A second like that of another row, and an id as Bing gave them.
    storage.alias("alias:id:old-1.x", rich_job(storage, status="Failed", LegacyId="Old-1.x", **outputs))
    storage.download(ODD_NAME, CreatedDate=ago(minutes=7), **outputs)
