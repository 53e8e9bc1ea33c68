"""The blocks in which blobs travel, each within its time."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from io import BytesIO
from pathlib import Path

from azure.storage.blob.aio import BlobClient

from adapters.sdk_calls import storage_call

# A block is in memory twice, filled and copied. Blocks of 4 MB were no faster and took much more memory.
BLOCK = 1024 * 1024

# The first blocks are smaller, so that many slow uploads hold little memory. From so many bytes on (the first column),
# a block has that many.
BLOCK_SIZES = ((0, BLOCK // 8), (BLOCK, BLOCK // 4), (16 * BLOCK, BLOCK))

# The longest that one block may take, either way: a slow link is no failure.
BLOCK_SECONDS = 60.0


class BlobTooLargeError(Exception):
    """The data has more bytes than allowed."""


async def stage_block(blob: BlobClient, block_id: str, block: bytes) -> None:
    """Sends one block of a blob."""
    # As a file, since aiohttp writes bytes at one go, which blocks the event loop.
    await blob.stage_block(block_id, BytesIO(block), len(block))


async def cut_blocks(chunks: AsyncIterator[bytes], max_bytes: int | None) -> AsyncIterator[bytes]:
    """Joins and splits chunks into blocks.

    Raises:
        BlobTooLargeError: there are more than `max_bytes`.
    """
    block, received, sent = bytearray(), 0, 0
    async for chunk in chunks:
        received += len(chunk)
        if max_bytes is not None and received > max_bytes:
            raise BlobTooLargeError(f"more than {max_bytes} bytes")
        rest = memoryview(chunk)
        while rest:
            size = next(size for begin, size in reversed(BLOCK_SIZES) if begin <= sent)
            room = size - len(block)
            block += rest[:room]
            rest = rest[room:]
            if len(block) == size:
                yield bytes(block)
                sent, block = sent + size, bytearray()
    if block:
        yield bytes(block)


async def read_chunks(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The chunks of a download, each within its time."""
    while True:
        async with storage_call(BLOCK_SECONDS):
            chunk = await anext(chunks, b"")
        if not chunk:
            return
        yield chunk


async def read_file(file: Path) -> AsyncGenerator[bytes, None]:
    """The content of a file, a block at a time."""
    with file.open("rb") as source:  # not in a thread, as a caller that is cancelled would leave it open
        while block := await asyncio.to_thread(source.read, BLOCK):
            yield block
