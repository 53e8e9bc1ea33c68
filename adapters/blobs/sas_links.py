"""Exports in Blob Storage: uploads, and the signed links that hand them out."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from urllib.parse import quote, urlsplit

from azure.storage.blob import BlobSasPermissions, generate_blob_sas
from azure.storage.blob.aio import BlobServiceClient

from adapters.blobs.sas_keys import CLOCK_SKEW, Clock, SigningKey, SigningKeyProvider, utc_now
from adapters.instrumentation import UNSEEN, StorageObserver
from adapters.model.jobs import BlobPath

# With text/csv, R's httr parses delimited text into garbage, without an error.
CONTENT_TYPES = {
    ".csv": "text/plain",
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

# Links of one account that are kept to be given again; the longest kept go first.
LINKS_KEPT = 10_000

UNLIMITED = datetime.max.replace(tzinfo=UTC)


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


class SasSigner:
    """Signs links with the key of one moment, or gives a link again that has at least half of its life left."""

    def __init__(self, links: "SasLinkSigner", key: SigningKey) -> None:
        self._links = links
        self._key = key
        self.until = UNLIMITED
        """Until when all links that this has given may be given again."""

    def __call__(self, path: BlobPath) -> str:
        """A URL that reads this blob."""
        url, until = self._links.link(path, self._key)
        self.until = min(self.until, until)
        return url


@dataclass(frozen=True, slots=True)
class SasLinkSigner:
    """Signs links to one account's blobs.

    `blob_url` is the endpoint, without a slash at its end. An endpoint with the account in its path is an emulator's.
    """

    account_name: str
    blob_url: str
    keys: SigningKeyProvider
    lifetime: timedelta
    clock: Clock = utc_now
    watch: StorageObserver = UNSEEN
    _signed: OrderedDict[BlobPath, tuple[SigningKey, str, datetime]] = field(default_factory=OrderedDict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    """Large lists are rendered in threads."""

    async def signer(self) -> SasSigner:
        """What signs links with the key of this moment. Links cost no request; the first key may.

        Raises:
            StorageFaultError: there is no key to sign with.
        """
        return SasSigner(self, await self.keys.current())

    def link(self, path: BlobPath, key: SigningKey) -> tuple[str, datetime]:
        """A link, and until when it may be given again: while at least half of its life is left."""
        now = self.clock()
        signed, url, until = self._signed.get(path, (None, "", now))
        if signed is key and now < until:
            return url, until
        url = self.sign(path, key)
        self.watch.signed()
        ends = now + self.lifetime if key.expires is None else min(now + self.lifetime, key.expires)
        until = now + (ends - now) / 2
        with self._lock:
            self._signed[path] = (key, url, until)
            self._signed.move_to_end(path)
            if len(self._signed) > LINKS_KEPT:
                self._signed.popitem(last=False)
        return url, until

    def sign(self, path: BlobPath, key: SigningKey) -> str:
        """A URL that reads this one blob until its lifetime ends; nobody has asked whether the blob exists."""
        now = self.clock()
        expires = now + self.lifetime
        # An emulator's endpoint has the account in its path, and may be plain http. Azure's never may.
        parts = urlsplit(self.blob_url)
        emulator = parts.scheme == "http" and bool(parts.path)
        base = self.blob_url if emulator else self.blob_url.replace("http://", "https://", 1)
        signature = generate_blob_sas(
            self.account_name,
            path.container,
            path.name,
            account_key=key.account_key,
            user_delegation_key=key.delegated,
            permission=BlobSasPermissions(read=True),
            start=now - CLOCK_SKEW,
            expiry=expires if key.expires is None else min(expires, key.expires),
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
