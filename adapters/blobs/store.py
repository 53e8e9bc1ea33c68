"""The blobs of one account: everything streams, in blocks of at most a megabyte."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from azure.storage.blob import BlobBlock, ContentSettings, CorsRule
from azure.storage.blob.aio import BlobClient, BlobServiceClient

from adapters.blobs.blocks import BLOCK_SECONDS, cut_blocks, read_chunks, read_file, stage_block
from adapters.blobs.sas_links import content_type_of
from adapters.errors import StorageError
from adapters.model.jobs import BlobPath
from adapters.model.ticks import Ticks, from_datetime
from adapters.sdk_calls import error_code, storage_call, try_call

UPLOADS = "uploads"
"""Bodies of requests: `{account}/{job id}`; parts of geocode jobs: `{account}/geocode/{job id}/...`."""
VERSIONS = "datasources"
"""Entities of versions: `{account}/{name in lower case}/{job id}-{try}.parquet`."""
EXPORTS = "exports"
"""Results of jobs: `{account}/{job id}/{try}/{name}.xml`, and error logs, `{account}/{job id}/{try}/{name}-failed.txt`.

Each attempt of a job writes blobs of its own, and the rows name the valid ones.
"""

CORS_RULE = CorsRule(["*"], ["GET", "HEAD"], allowed_headers=["*"], exposed_headers=["*"], max_age_in_seconds=3600)
"""The rule that deploy/azure has too. After a redirect a browser sends `Origin: null`, so all origins are allowed."""
# The metadata of a blob that names the table of its job's row.
_OWNER = "jobs_table"

_NOT_FOUND = {"BlobNotFound", "ContainerNotFound"}


@dataclass(frozen=True, slots=True)
class OpenedBlob:
    """A blob that is being read: its size in bytes, and its content, which raises StorageError where it breaks off."""

    size: int
    chunks: AsyncGenerator[bytes, None]


class BlobStore:
    """The blobs of one account. Every method raises StorageError where storage can't answer."""

    def __init__(self, blobs: BlobServiceClient, owner: str = "") -> None:
        """`blobs` reads blocks of BLOCK bytes; `close` closes it. `owner` is the name of the jobs table."""
        self._blobs = blobs
        self._owner = owner

    async def write(self, path: BlobPath, chunks: AsyncIterator[bytes], max_bytes: int | None = None) -> int:
        """Writes a blob, over one of the same name, and creates its container where it is missing.

        Nothing is visible before the end: if the chunks break off or the caller is cancelled, the old blob stays. Two
        concurrent writers of one blob never mix; storage may discard the blocks of one of them, whose call then fails.

        Returns:
            The number of bytes.

        Raises:
            BlobTooLargeError: there are more than `max_bytes`.
        """
        blob, writer = self._client(path), uuid4().hex
        ids: list[str] = []
        size = 0
        async for block in cut_blocks(chunks, max_bytes):
            # Concurrent writers of one blob must not commit each other's blocks. All ids have the same length.
            ids.append(f"{writer}-{len(ids):06d}")
            size += len(block)
            await self._write(path, partial(stage_block, blob, ids[-1], block))
        options, blocks = self._options(path), [BlobBlock(block_id) for block_id in ids]
        await self._write(path, lambda: blob.commit_block_list(blocks, **options))
        return size

    async def upload_bytes(self, content: bytes, path: BlobPath) -> None:
        """Writes bytes to a blob, as `write` does."""

        async def chunks() -> AsyncIterator[bytes]:
            yield content

        await self.write(path, chunks())

    async def put(self, content: bytes, path: BlobPath) -> None:
        """Writes a small blob by one request, over one of the same name; creates its container where it is missing."""
        blob, options = self._client(path), self._options(path)
        await self._write(path, lambda: blob.upload_blob(content, overwrite=True, **options))

    async def put_new(self, content: bytes, path: BlobPath) -> bool:
        """Writes a small blob as `put` does, unless there is one of that name: then it returns False."""
        blob, options = self._client(path), self._options(path)

        async def upload() -> None:
            await self._write(path, lambda: blob.upload_blob(content, overwrite=False, **options))

        return await try_call(upload(), BLOCK_SECONDS, {"BlobAlreadyExists"})

    async def get(self, path: BlobPath) -> bytes | None:
        """The content of a small blob; None where there is no such blob."""
        try:
            async with storage_call(BLOCK_SECONDS):
                return await (await self._client(path).download_blob()).readall()
        except StorageError as error:
            if error_code(error.__cause__) in _NOT_FOUND:
                return None
            raise

    async def upload_file(self, file: Path, path: BlobPath) -> None:
        """Copies a local file to a blob, as `write` does."""
        async with aclosing(read_file(file)) as chunks:
            await self.write(path, chunks)

    async def download_file(self, path: BlobPath, file: Path) -> bool:
        """Copies a blob to a local file; False where there is no such blob. A failure leaves no file behind."""
        opened = await self.open(path)
        if opened is None:
            return False
        complete = False
        try:
            # Not opened in a thread: a caller that is cancelled meanwhile would leave it open.
            with file.open("wb") as target:
                async with aclosing(opened.chunks) as chunks:
                    async for chunk in chunks:
                        await asyncio.to_thread(target.write, chunk)
            complete = True
        finally:
            if not complete:
                await asyncio.to_thread(file.unlink, missing_ok=True)
        return True

    async def open(self, path: BlobPath) -> OpenedBlob | None:
        """Opens a blob, of which the first block is read; None where there is no such blob."""
        try:
            async with storage_call(BLOCK_SECONDS):
                download = await self._client(path).download_blob()
        except StorageError as error:
            if error_code(error.__cause__) in _NOT_FOUND:
                return None
            raise
        return OpenedBlob(int(download.size), read_chunks(aiter(download.chunks())))

    async def get_size(self, path: BlobPath) -> int | None:
        """The size of a blob in bytes; None where there is no such blob."""
        try:
            async with storage_call(BLOCK_SECONDS):
                return int((await self._client(path).get_blob_properties()).size)
        except StorageError as error:
            if error_code(error.__cause__) in _NOT_FOUND:
                return None
            raise

    async def delete(self, path: BlobPath) -> None:
        """Deletes a blob, if there is one."""
        await try_call(self._client(path).delete_blob(delete_snapshots="include"), BLOCK_SECONDS, _NOT_FOUND)

    async def list_blobs(self, container: str, prefix: str) -> dict[BlobPath, Ticks]:
        """The blobs whose names begin with `prefix`, in order, with the times of their last writes by storage's clock.

        Blobs of another deployment, whose job rows are in another table, are left out. A missing container has none.
        """
        found: dict[BlobPath, Ticks] = {}

        async def collect() -> None:
            client = self._blobs.get_container_client(container)
            async for blob in client.list_blobs(name_starts_with=prefix, include=["metadata"]):
                if (blob.metadata or {}).get(_OWNER, self._owner) == self._owner:
                    found[BlobPath(container, blob.name)] = from_datetime(blob.last_modified)

        await try_call(collect(), BLOCK_SECONDS, _NOT_FOUND)
        return found

    async def list_names(self, container: str, prefix: str) -> list[str]:
        """The names of the blobs that begin with `prefix`, in order, of any deployment.

        For many blobs it takes a tenth of the time of `list_blobs`.
        """
        found: list[str] = []

        async def collect() -> None:
            client = self._blobs.get_container_client(container)
            found.extend([name async for name in client.list_blob_names(name_starts_with=prefix)])

        await try_call(collect(), BLOCK_SECONDS, _NOT_FOUND)
        return found

    async def list_sizes(self, container: str, prefix: str) -> dict[BlobPath, int]:
        """The bytes of the blobs whose names begin with `prefix`, of any deployment. A missing container has none."""
        found: dict[BlobPath, int] = {}

        async def collect() -> None:
            client = self._blobs.get_container_client(container)
            async for blob in client.list_blobs(name_starts_with=prefix):
                found[BlobPath(container, blob.name)] = blob.size

        await try_call(collect(), BLOCK_SECONDS, _NOT_FOUND)
        return found

    async def set_cors(self, *, allowed: bool) -> None:
        """Sets the blob service's only CORS rule: pages of other origins may read what they can open, or nothing."""
        async with storage_call(BLOCK_SECONDS):
            await self._blobs.set_service_properties(cors=[CORS_RULE] if allowed else [])

    async def has_container(self, container: str) -> bool:
        """Whether a container exists. Reads a missing blob, since that needs no more than the right to read blobs."""
        return await self._find_missing(BlobPath(container, "reach")) in {None, "BlobNotFound"}

    async def exists(self, path: BlobPath) -> bool:
        """Whether there is such a blob."""
        return await self._find_missing(path) is None

    async def _find_missing(self, path: BlobPath) -> str | None:
        """What is missing, as storage's error code, where a blob is not there."""
        try:
            async with storage_call(BLOCK_SECONDS):
                await self._client(path).get_blob_properties()
        except StorageError as error:
            code = error_code(error.__cause__)
            if code not in _NOT_FOUND:
                raise
            return code
        return None

    async def create_container(self, container: str) -> None:
        """Creates a container where it is missing."""
        await try_call(self._blobs.create_container(container), BLOCK_SECONDS, {"ContainerAlreadyExists"})

    async def close(self) -> None:
        """Closes the connections."""
        await self._blobs.close()

    async def _write(self, path: BlobPath, call: Callable[[], Awaitable[object]]) -> None:
        if not await try_call(call(), BLOCK_SECONDS, {"ContainerNotFound"}):
            await self.create_container(path.container)
            async with storage_call(BLOCK_SECONDS):
                await call()

    def _options(self, path: BlobPath) -> dict[str, Any]:
        """What each write says of a blob. Callers download exports, and need not see the table's name."""
        metadata = {_OWNER: self._owner} if self._owner and path.container != EXPORTS else None
        return {"content_settings": ContentSettings(content_type_of(path.name)), "metadata": metadata}

    def _client(self, path: BlobPath) -> BlobClient:
        return self._blobs.get_blob_client(path.container, path.name)
