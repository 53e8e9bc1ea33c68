"""What lies in storage on the write side, looked at and written by the plain SDKs."""

import json
from dataclasses import dataclass, replace
from typing import Any

from azure.data.tables import TableClient, UpdateMode
from azure.storage.queue import QueueClient

from adapters.job_queue import queue_name
from adapters.model.data_sources import DataSource, DataSourceVersion
from adapters.model.job_ids import new_job_id
from adapters.model.jobs import BlobPath
from adapters.model.ticks import Ticks, parse_ticks
from adapters.tables.data_source_rows import write_data_source
from proxy.formats.schema import EdmType, EntityType, Property
from tests.support.storage import Storage, ago

ACCESS_ID = "20181f26d9e94c81acdf9496133d4f23"

SHOPS = EntityType(
    "CoffeeShops",
    (
        Property("EntityID", EdmType.STRING),
        Property("Latitude", EdmType.DOUBLE),
        Property("Longitude", EdmType.DOUBLE),
        Property("Seats", EdmType.INT64),
        Property("IsOpen", EdmType.BOOLEAN),
        Property("Since", EdmType.DATETIME),
        Property("Area", EdmType.GEOGRAPHY),
        Property("City", EdmType.STRING),
    ),
    "EntityID",
)


def version(moment: str = "", entity_type: EntityType = SHOPS) -> DataSourceVersion:
    """A version made at this moment, an hour ago unless it is given."""
    updated = parse_ticks(moment or ago(hours=1))
    return DataSourceVersion(
        job_id=new_job_id(Ticks(updated - 10_000_000)),
        blob=BlobPath("datasources", "some.parquet"),
        entity_type=entity_type.name,
        schema=entity_type.to_json(),
        entities=3,
        updated=updated,
    )


CREATED = parse_ticks(ago(hours=2))


def source(name: str = "Shops", **changes: Any) -> DataSource:
    """A data source with one published version."""
    made = DataSource(name=name, access_id=ACCESS_ID, created=CREATED, published=version())
    return replace(made, **changes)


@dataclass(frozen=True)
class Written:
    """One account's data sources, jobs and queue."""

    storage: Storage

    def put(self, *sources: DataSource) -> None:
        """Writes rows of data sources."""
        with TableClient.from_connection_string(self.storage.connection_string, "datasources") as table:
            for each in sources:
                row = write_data_source(self.storage.account, each.name.lower(), each)
                table.upsert_entity(row, UpdateMode.REPLACE)

    def jobs(self) -> list[dict[str, Any]]:
        """All job rows, with their work read."""
        rows = self.storage.table.query_entities(f"PartitionKey eq '{self.storage.account}'")
        jobs = [dict(row) for row in rows if "JobType" in row]
        return [row | {"Work": json.loads(row["Work"])} for row in jobs if "Work" in row]

    def job(self) -> dict[str, Any]:
        """The one job that was created."""
        (job,) = self.jobs()
        return job

    def queued(self) -> list[str]:
        """The ids of the jobs in the queue, each checked to be the account's."""
        name = queue_name(self.storage.table_name, self.storage.account)
        with QueueClient.from_connection_string(self.storage.connection_string, name) as queue:
            messages = [json.loads(message.content) for message in queue.peek_messages(max_messages=32)]
        assert all(message["account"] == self.storage.account for message in messages)
        return [message["job"] for message in messages]

    def upload(self, path: str) -> bytes:
        """What was uploaded there."""
        container, _, name = path.partition("/")
        return bytes(self.storage.blobs.get_blob_client(container, name).download_blob().readall())

    def uploads(self) -> list[str]:
        """The account's uploads that are there."""
        container = self.storage.blobs.get_container_client("uploads")
        if not container.exists():
            return []
        return [blob.name for blob in container.list_blobs(name_starts_with=f"{self.storage.account}/")]

    def nothing(self) -> bool:
        """Whether there is no job, no message and no upload."""
        return (self.jobs(), self.queued(), self.uploads()) == ([], [], [])
