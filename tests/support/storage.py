"""What writers of job rows do, by the plain SDKs, so that the adapters are not tested by themselves."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import uuid4

from azure.data.tables import EdmType, EntityProperty, TableClient, TableEntity, UpdateMode
from azure.storage.blob import BlobServiceClient

from adapters.model.job_ids import new_job_id
from adapters.model.ticks import format_ticks, from_datetime, parse_ticks
from proxy.demo.azurite import Emulator

BUSY_SECONDS = 20.0
"""The deadline of calls of storage, where it is not what is tested: a machine may stop for ten seconds."""


@dataclass(frozen=True)
class Storage:
    """One account's storage in the emulator."""

    account: str
    table_name: str
    connection_string: str = field(repr=False)
    table: TableClient
    blobs: BlobServiceClient

    OF_A_DATA_SOURCE: ClassVar[dict[str, Any]] = {
        "Name": "Shops",
        "AccessId": "a1b2",
        "Created": EntityProperty("2026-01-02T03:04:05.0000006Z", EdmType.DATETIME),
    }
    """What a data source's row can't be without."""

    @classmethod
    @contextmanager
    def open(cls, emulator: Emulator, account: str) -> Iterator["Storage"]:
        """Makes the table and opens the clients."""
        text, table_name = emulator.connection_string, f"jobs{uuid4().hex[:16]}"
        with (
            TableClient.from_connection_string(text, table_name) as table,
            BlobServiceClient.from_connection_string(text) as blobs,
        ):
            table.create_table()
            yield cls(account, table_name, text, table, blobs)

    def job(self, job_type: str = "DataSourceComplete", status: str = "Completed", **properties: Any) -> str:
        """Writes a job row, created an hour ago unless a CreatedDate is given as text; gives its RowKey."""
        created = properties.pop("CreatedDate", None) or ago(hours=1)
        row_key = properties.pop("RowKey", None) or new_job_id(parse_ticks(created))
        row = {"JobType": job_type, "Status": status, "CreatedDate": date(created)} | properties
        self.row(row_key, **row)
        return str(row_key)

    def row(self, row_key: str, **properties: Any) -> None:
        """Writes any row."""
        self.table.upsert_entity({"PartitionKey": self.account, "RowKey": row_key} | properties)

    def alias(self, key: str, job_id: str) -> None:
        """Writes an alias row."""
        self.row(key, JobId=job_id)

    def download(self, name: str, status: str = "Completed", **properties: Any) -> str:
        """Writes a download job and makes it its data source's newest."""
        row_key = self.job("DataSourceDownload", status, DataSourceName=name, **properties)
        self.alias(f"alias:download:{name.lower()}", row_key)
        return row_key

    def data_source_row(self, row_key: str, account: str | None = None, **properties: Any) -> None:
        """Writes any row of the table of data sources, which must be there."""
        with TableClient.from_connection_string(self.connection_string, "datasources") as table:
            table.upsert_entity(
                {"PartitionKey": account or self.account, "RowKey": row_key} | properties, mode=UpdateMode.REPLACE
            )

    def data_source(self, row_key: str) -> TableEntity:
        """A row of that table."""
        with TableClient.from_connection_string(self.connection_string, "datasources") as table:
            return table.get_entity(self.account, row_key)

    def blob(self, container: str, name: str) -> bytes | None:
        """What a blob holds, None where there is none."""
        blob = self.blobs.get_blob_client(container, name)
        return blob.download_blob().readall() if blob.exists() else None

    def export(self, content: bytes = b"<export />", name: str = "export.xml") -> str:
        """Writes a blob in a container of its own; gives `container/name` as rows hold it."""
        container = f"exports-{uuid4().hex[:12]}"
        self.blobs.create_container(container)
        self.blobs.get_blob_client(container, name).upload_blob(content)
        return f"{container}/{name}"

    def datasources(self) -> TableClient:
        """The table of data sources."""
        return TableClient.from_connection_string(self.connection_string, "datasources")


def date(text: str) -> EntityProperty:
    """A DateTime with all its ticks."""
    return EntityProperty(text, EdmType.DATETIME)


def int64(value: int) -> EntityProperty:
    """An Int64."""
    return EntityProperty(value, EdmType.INT64)


def ago(**span: float) -> str:
    """A moment before now, as the text of a DateTime."""
    return format_ticks(from_datetime(datetime.now(UTC) - timedelta(**span)))
