"""Where the file of a version comes from that queries read. Importing it loads Arrow and GEOS."""

from pathlib import Path

from adapters.account import AccountStorage
from adapters.model.data_sources import DataSourceVersion
from adapters.version_cache import VersionSource
from proxy.query.conversion import convert_blob
from proxy.query.schema import Schema
from proxy.query.version_file import VersionFile


def version_source(account: AccountStorage, version: DataSourceVersion) -> VersionSource[VersionFile]:
    """Where a version's file comes from. Its own name within tells it from a file of another version."""
    name = f"{account.blob_url}/{version.blob}"

    def convert(blob: Path, file: Path) -> None:
        convert_blob(blob, file, name, Schema.from_json(version.schema))

    return VersionSource(
        account.blobs,
        account.blob_url,
        version.blob,
        convert,
        lambda file: VersionFile(file, name),
        account.circuit_breaker.observer,
    )
