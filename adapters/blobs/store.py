"""Blobs as files: everything streams, in blocks of a megabyte."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from io import BytesIO
from pathlib import Path
from uuid import uuid4

from azure.storage.blob import BlobBlock, ContentSettings, CorsRule
from azure.storage.blob.aio import BlobClient, BlobServiceClient

from adapters.blobs.sas_links import content_type_of
from adapters.errors import StorageError
from adapters.instrumentation import UNNEEDED
from adapters.model.jobs import BlobPath
from adapters.model.ticks import Ticks, from_datetime
from adapters.sdk_calls import error_code, storage_call

UPLOADS = "uploads"
"""Bodies of load requests: `{account}/{job id}`."""
VERSIONS = "datasources"
"""Entities of versions: `{account}/{name in lower case}/{job id}-{try}.parquet`."""
EXPORTS = "exports"
"""What jobs give: `{account}/{job id}/{try}/{name}.xml`, and error logs, `{account}/{job id}/{try}/{name}-failed.txt`.

Each try of a job writes blobs of its own, and the rows name those that count.
"""

PAGES_MAY_READ = CorsRule(["*"], ["GET", "HEAD"], allowed_headers=["*"], exposed_headers=["*"], max_age_in_seconds=3600)
"""The rule that deploy/azure has too. After our redirect a browser sends `Origin: null`, so all origins are allowed."""
# The metadata of a blob that says in which table its job's row lies.
_OWNER = "jobs_table"

# Four are in memory at once, filled, copied and sent. 4 MB ones were no faster, and took 17 MB of a server's memory.
BLOCK = 1024 * 1024

# The first blocks are smaller: many who send a little and then wait hold little, and most loads are small anyway. From
# so many bytes on (the first column), a block has that many.
GROWING = ((0, BLOCK // 8), (BLOCK, BLOCK // 4), (16 * BLOCK, BLOCK))

# Seconds that one block may take, either way: a slow link is no fault.
BLOCK_SECONDS = 60.0

_GONE = {"BlobNotFound", "ContainerNotFound"}


class BlobTooLargeError(Exception):
    """There are more bytes than there may be."""


class BlobStore:
    """The blobs of one account.

    Every method raises StorageFaultError where storage can't answer.
    """

    def __init__(self, blobs: BlobServiceClient, owner: str = "") -> None:
        """`blobs` reads blocks of BLOCK bytes; it is closed by `close`. `owner` is the table that holds the jobs."""
        self._blobs = blobs
        self._owner = owner

    async def write(self, path: BlobPath, chunks: AsyncIterator[bytes], most: int | None = None) -> int:
        """Writes a blob, over one of the same name, and makes its container where it is missing; gives its bytes.

        Nothing shows before the end: where the chunks break off, or the caller goes away, all is as it was before.
        Two who write one blob at once never mix, but storage may throw away what one of them has sent, and tell it so.

        Raises:
            TooLargeError: there are more bytes than `most`.
        """
        blocks = _BlockUploader(self, self._client(path))
        size = 0
        try:
            async for chunk in chunks:
                size += len(chunk)
                if most is not None and size > most:
                    raise BlobTooLargeError(f"more than {most} bytes")
                await blocks.add(chunk)
            # What jobs give has one more reader, who need not know.
            metadata = {_OWNER: self._owner} if self._owner and path.container != EXPORTS else None
            await blocks.commit(content_type_of(path.name), metadata)
        finally:
            await blocks.abandon()
        return size

    async def upload_file(self, file: Path, path: BlobPath) -> None:
        """Copies a local file to a blob, as `write` does."""
        async with aclosing(_read(file)) as chunks:
            await self.write(path, chunks)

    async def download_file(self, path: BlobPath, file: Path) -> bool:
        """Copies a blob to a local file; False where there is no such blob. What fails leaves no file behind."""
        try:
            async with storage_call(BLOCK_SECONDS):
                download = await self._client(path).download_blob()
        except StorageError as fault:
            if error_code(fault.__cause__) in _GONE:
                return False
            raise
        chunks = aiter(download.chunks())
        complete = False
        target = await asyncio.to_thread(file.open, "wb")
        try:
            while True:
                async with storage_call(BLOCK_SECONDS):
                    chunk = await anext(chunks, b"")
                if not chunk:
                    break
                await asyncio.to_thread(target.write, chunk)
            complete = True
        finally:
            target.close()
            if not complete:
                await asyncio.to_thread(file.unlink, missing_ok=True)
        return True

    async def delete(self, path: BlobPath) -> None:
        """Deletes a blob, if there is one."""
        try:
            async with storage_call(BLOCK_SECONDS):
                await self._client(path).delete_blob(delete_snapshots="include")
        except StorageError as fault:
            if error_code(fault.__cause__) not in _GONE:
                raise

    async def list(self, container: str, prefix: str) -> list[BlobPath]:
        """The blobs of a container whose names begin like this, sorted; none where there is no container."""
        return list(await self.dated_names(container, prefix))

    async def dated_names(self, container: str, prefix: str) -> dict[BlobPath, Ticks]:
        """The same, each with the moment of its last write, by storage's own clock.

        Another deployment may keep its job rows in another table and its blobs beside ours, which are left out.
        """
        client = self._blobs.get_container_client(container)
        found = client.list_blobs(name_starts_with=prefix, include=["metadata"])
        try:
            async with storage_call(BLOCK_SECONDS):
                return {
                    BlobPath(container, each.name): from_datetime(each.last_modified)
                    async for each in found
                    if (each.metadata or {}).get(_OWNER, self._owner) == self._owner
                }
        except StorageError as fault:
            if error_code(fault.__cause__) in _GONE:
                return {}
            raise

    async def let_pages_read(self, *, allowed: bool) -> None:
        """Sets the blob service's one rule for pages of other origins: they may read what they can open, or nothing."""
        async with storage_call(BLOCK_SECONDS):
            await self._blobs.set_service_properties(cors=[PAGES_MAY_READ] if allowed else [])

    async def has_container(self, container: str) -> bool:
        """Whether a container is there, asked by a blob that does not exist: reading blobs is all that it takes."""
        try:
            async with storage_call(BLOCK_SECONDS):
                await self._client(BlobPath(container, "reach")).get_blob_properties()
        except StorageError as fault:
            if error_code(fault.__cause__) not in _GONE:
                raise
            return error_code(fault.__cause__) == "BlobNotFound"
        return True

    async def create_container(self, container: str) -> None:
        """Creates a container where it is missing."""
        try:
            async with storage_call(BLOCK_SECONDS):
                await self._blobs.create_container(container)
        except StorageError as fault:
            if error_code(fault.__cause__) != "ContainerAlreadyExists":
                raise

    async def close(self) -> None:
        """Closes the connections."""
        await self._blobs.close()

    def _client(self, path: BlobPath) -> BlobClient:
        return self._blobs.get_blob_client(path.container, path.name)


class _BlockUploader:
    """The blocks of one blob: while one is sent the next one fills, so that two are held at the most."""

    def __init__(self, files: BlobStore, blob: BlobClient) -> None:
        self._files = files
        self._blob = blob
        self._filling = bytearray()
        self._sending: asyncio.Task[None] | None = None
        # Two who write the same blob at once must not commit each other's blocks. Ids of one blob are equally long.
        self._writer = uuid4().hex
        self._ids: list[str] = []
        self._staged = 0

    async def add(self, chunk: bytes) -> None:
        rest = memoryview(chunk)
        while rest:
            size = next(block for begin, block in reversed(GROWING) if begin <= self._staged)
            taken = size - len(self._filling)
            self._filling += rest[:taken]
            rest = rest[taken:]
            if len(self._filling) == size:
                await self._send()

    async def commit(self, content_type: str, metadata: dict[str, str] | None) -> None:
        if self._filling:
            await self._send()
        await self._sent()
        blocks = [BlobBlock(block_id) for block_id in self._ids]
        settings = ContentSettings(content_type)
        await self._attempt(lambda: self._blob.commit_block_list(blocks, content_settings=settings, metadata=metadata))

    async def abandon(self) -> None:
        """Ends what is under way. Storage throws blocks away that nobody commits."""
        if self._sending is not None:
            self._sending.cancel(UNNEEDED)
            await asyncio.gather(self._sending, return_exceptions=True)

    async def _send(self) -> None:
        await self._sent()
        block_id, content = f"{self._writer}-{len(self._ids):06d}", bytes(self._filling)
        self._ids.append(block_id)
        self._staged += len(content)
        self._filling = bytearray()  # its room is given back: the sender may wait for long
        self._sending = asyncio.create_task(self._stage(block_id, content))

    async def _sent(self) -> None:
        if self._sending is not None:
            await self._sending
            self._sending = None

    async def _stage(self, block_id: str, content: bytes) -> None:
        # As a file, for aiohttp writes a body of bytes at one go, and nobody else is served meanwhile.
        await self._attempt(lambda: self._blob.stage_block(block_id, BytesIO(content), len(content)))

    async def _attempt(self, call: Callable[[], Awaitable[object]]) -> None:
        try:
            async with storage_call(BLOCK_SECONDS):
                await call()
        except StorageError as fault:
            if error_code(fault.__cause__) != "ContainerNotFound":
                raise
            await self._files.create_container(self._blob.container_name)
            async with storage_call(BLOCK_SECONDS):
                await call()


async def _read(file: Path) -> AsyncGenerator[bytes, None]:
    source = await asyncio.to_thread(file.open, "rb")
    with source:
        while block := await asyncio.to_thread(source.read, BLOCK):
            yield block
