"""Exports in Blob Storage: uploads, and the signed links that hand them out."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from urllib.parse import quote, urlsplit

from azure.storage.blob import BlobSasPermissions, generate_blob_sas
from azure.storage.blob.aio import BlobServiceClient

from adapters.credentials import SharedKey
from adapters.records import BlobPath

# A link that starts now is refused by a server whose clock is behind ours.
CLOCK_SKEW = timedelta(minutes=5)

CONTENT_TYPES = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".kml": "application/vnd.google-earth.kml+xml",
    ".log": "text/plain",
    ".pipe": "text/plain",
    ".tab": "text/plain",
    ".txt": "text/plain",
    ".xml": "application/xml",
    ".zip": "application/zip",
}
ANY_CONTENT = "application/octet-stream"


def content_type_of(name: str) -> str:
    """The content type of an export, by the ending of its name."""
    return CONTENT_TYPES.get(PurePosixPath(name).suffix.lower(), ANY_CONTENT)


def disposition_of(name: str) -> str:
    """The Content-Disposition that saves a blob under the last part of its name.

    A header is ASCII without quotes inside quotes; the true name follows in the form of RFC 5987 where it differs.
    """
    file_name = name.rstrip("/").rpartition("/")[2] or "export"
    plain = "".join(char if char.isascii() and char.isprintable() and char not in '"\\%' else "_" for char in file_name)
    if plain == file_name:
        return f'attachment; filename="{plain}"'
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name, safe='')}"


@dataclass(frozen=True, slots=True)
class ExportLinks:
    """Signs links to one account's blobs. Pure computation: no link costs a request."""

    credential: SharedKey
    lifetime: timedelta
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def sign(self, path: BlobPath) -> str:
        """A URL that reads this one blob until its lifetime ends; nobody has asked whether the blob exists."""
        now = self.clock()
        # An endpoint with the account in its path is an emulator's, which may speak plain http. Azure never may.
        base, emulator = self.credential.blob_url, bool(urlsplit(self.credential.blob_url).path)
        if not emulator:
            base = base.replace("http://", "https://", 1)
        signature = generate_blob_sas(
            self.credential.account_name,
            path.container,
            path.name,
            account_key=self.credential.account_key,
            permission=BlobSasPermissions(read=True),
            start=now - CLOCK_SKEW,
            expiry=now + self.lifetime,
            protocol="https,http" if emulator else "https",
            content_type=content_type_of(path.name),
            content_disposition=disposition_of(path.name),
        )
        return f"{base}/{path.container}/{quote(path.name, safe='~/')}?{signature}"


async def upload(blobs: BlobServiceClient, path: BlobPath, content: bytes) -> None:
    """Writes an export, over one of the same name; makes its container where it is missing."""
    container = blobs.get_container_client(path.container)
    if not await container.exists():
        await container.create_container()
    await container.upload_blob(path.name, content, overwrite=True)
