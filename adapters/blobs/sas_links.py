"""Signed links to blobs."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from urllib.parse import quote, urlsplit

from azure.storage.blob import BlobSasPermissions, generate_blob_sas

from adapters.blobs.sas_keys import CLOCK_SKEW, Clock, KeySource, SigningKey, utc_now
from adapters.instrumentation import NULL_OBSERVER, StorageObserver
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
DEFAULT_CONTENT_TYPE = "application/octet-stream"

# Links of one account that may be reused. The oldest are evicted first.
MAX_CACHED_LINKS = 10_000

UNLIMITED = datetime.max.replace(tzinfo=UTC)


def content_type_of(name: str) -> str:
    """The content type of a blob, by the suffix of its name."""
    return CONTENT_TYPES.get(PurePosixPath(name).suffix.lower(), DEFAULT_CONTENT_TYPE)


def disposition_of(name: str) -> str:
    """The Content-Disposition that saves a blob under the last part of its name.

    A header is ASCII without quotes inside quotes. A name that differs follows in the form of RFC 5987.
    """
    file_name = name.rstrip("/").rpartition("/")[2] or "export"
    plain = "".join(char if char.isascii() and char.isprintable() and char not in '"\\%' else "_" for char in file_name)
    if plain == file_name:
        return f'attachment; filename="{plain}"'
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name, safe='')}"


class SasSigner:
    """Signs links with one key, or reuses a link that has at least half of its life left."""

    def __init__(self, links: "SasLinkSigner", key: SigningKey) -> None:
        self._links = links
        self._key = key
        self.until = UNLIMITED
        """Until when all links that this has returned may be reused."""

    def __call__(self, path: BlobPath) -> str:
        """A URL that reads this blob."""
        url, until = self._links.get_link(path, self._key)
        self.until = min(self.until, until)
        return url


@dataclass(frozen=True, slots=True)
class SasLinkSigner:
    """Signs links to one account's blobs.

    `blob_url` is the endpoint, without a slash at its end. A plain http endpoint with a path is an emulator's.
    """

    account_name: str
    blob_url: str
    current_key: KeySource
    lifetime: timedelta
    clock: Clock = utc_now
    observer: StorageObserver = NULL_OBSERVER
    _cached: OrderedDict[BlobPath, tuple[SigningKey, str, datetime]] = field(default_factory=OrderedDict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    """Large lists are rendered in threads."""

    async def signer(self) -> SasSigner:
        """What signs links with the current key. Links need no request; the first key may.

        Raises:
            StorageError: there is no key to sign with.
        """
        return SasSigner(self, await self.current_key())

    def get_link(self, path: BlobPath, key: SigningKey) -> tuple[str, datetime]:
        """A link, and until when it may be reused: while at least half of its life is left."""
        now = self.clock()
        cached_key, url, until = self._cached.get(path, (None, "", now))
        if cached_key is key and now < until:
            return url, until
        url, ends = self.sign(path, key)
        self.observer.link_signed()
        until = now + (ends - now) / 2
        with self._lock:
            self._cached[path] = (key, url, until)
            self._cached.move_to_end(path)
            if len(self._cached) > MAX_CACHED_LINKS:
                self._cached.popitem(last=False)
        return url, until

    def sign(self, path: BlobPath, key: SigningKey) -> tuple[str, datetime]:
        """A URL that reads this one blob, which need not exist, and when it expires."""
        now = self.clock()
        expires = now + self.lifetime if key.expires is None else min(now + self.lifetime, key.expires)
        # Only an emulator may use plain http; its endpoint has the account in its path.
        parts = urlsplit(self.blob_url)
        is_emulator = parts.scheme == "http" and bool(parts.path)
        base = self.blob_url if is_emulator else self.blob_url.replace("http://", "https://", 1)
        signature = generate_blob_sas(
            self.account_name,
            path.container,
            path.name,
            account_key=key.account_key,
            user_delegation_key=key.delegated,
            permission=BlobSasPermissions(read=True),
            start=now - CLOCK_SKEW,
            expiry=expires,
            protocol="https,http" if is_emulator else "https",
            content_type=content_type_of(path.name),
            content_disposition=disposition_of(path.name),
        )
        return f"{base}/{path.container}/{quote(path.name, safe='~/')}?{signature}", expires
