"""What our own server answers in front of each kind of account, recorded once for each process."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest

from adapters.account import StorageOptions
from adapters.accounts import AccountRegistry
from adapters.credentials.config import ConnectionStringConfig
from proxy.conformance.recording import Recording
from proxy.demo import samples as demo_samples
from proxy.demo.azurite import Emulator
from tests.integration.conformance.endpoints import record
from tests.support.job_samples import JOB_TYPES, rich_job
from tests.support.live import LiveServer, start_server
from tests.support.queries import load_samples, start_querying
from tests.support.storage import Storage, ago, date, int64

ODD_NAME = "Shop`~!$^_={}9"


def write_samples(storage: Storage) -> None:
    """The sample jobs of the demo, with their exports."""

    async def write() -> None:
        options = StorageOptions(storage.table_name, timedelta(hours=1), 5)
        async with AccountRegistry(
            {storage.account: ConnectionStringConfig(storage.connection_string)}, options
        ) as accounts:
            account = accounts[storage.account]
            await account.jobs.upsert(list(demo_samples.jobs()))
            for path, content in demo_samples.exports().items():
                await account.blobs.upload_bytes(content, path)

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


@pytest.fixture(scope="session")
def filled(emulator: Emulator) -> Iterator[LiveServer]:
    """A server in front of rows of every kind."""
    with Storage.open(emulator, f"account-{uuid4().hex[:12]}") as storage:
        write_every_kind(storage)
        with start_server(storage) as server:
            yield server


@pytest.fixture(scope="session")
def full(filled: LiveServer) -> Recording:
    """What that server was asked and answered."""
    return record(filled)


@pytest.fixture(scope="session")
def samples(emulator: Emulator) -> Iterator[Storage]:
    """The samples of the demo, which no test changes."""
    with Storage.open(emulator, f"account-{uuid4().hex[:12]}") as storage:
        write_samples(storage)
        yield storage


@pytest.fixture(scope="session")
def demo(samples: Storage) -> Iterator[Recording]:
    """What a server in front of them was asked and answered."""
    with start_server(samples) as server:
        yield record(server)


@pytest.fixture(scope="session")
def redirected(samples: Storage) -> Iterator[Recording]:
    """The same, where output links stay on the proxy."""
    with start_server(samples, output_links="redirect") as server:
        yield record(server)


@pytest.fixture(scope="session")
def querying(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server in front of loaded data sources, which have a property of each type and missing values."""
    with Storage.open(emulator, f"account-{uuid4().hex[:12]}") as storage:
        load_samples(storage)
        with start_querying(storage, tmp_path_factory.mktemp("versions")) as server:
            yield server


@pytest.fixture(scope="session")
def queried(querying: LiveServer) -> Recording:
    """What that server was asked and answered."""
    return record(querying)


@pytest.fixture(scope="session")
def bare(emulator: Emulator) -> Iterator[LiveServer]:
    """A server in front of an account without jobs."""
    with Storage.open(emulator, f"account-{uuid4().hex[:12]}") as storage, start_server(storage) as server:
        yield server


@pytest.fixture(scope="session")
def empty(bare: LiveServer) -> Recording:
    """What that server was asked and answered."""
    return record(bare)
