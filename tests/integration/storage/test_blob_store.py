"""Blobs are streamed, bounded and never partly visible."""

import asyncio
import time
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest

import adapters.blobs.blocks
import adapters.blobs.store
import adapters.sdk_calls
from adapters.account import AccountStorage
from adapters.blobs.blocks import BLOCK, BlobTooLargeError
from adapters.errors import StorageError, StorageErrorCode
from adapters.model.jobs import BlobPath
from tests.support.opened_account import run, run_refused
from tests.support.storage import Storage
from tests.support.stub_servers import hang, listening

pytestmark = pytest.mark.anyio


@pytest.fixture
def path(storage: Storage) -> BlobPath:
    """A blob in a container that is not there yet."""
    return BlobPath(f"box-{storage.table_name}", "a/b c/ü&#?.xml")


async def pieces(*sizes: int) -> AsyncIterator[bytes]:
    for number, size in enumerate(sizes):
        yield bytes([number % 251]) * size


def whole(*sizes: int) -> bytes:
    return b"".join(bytes([number % 251]) * size for number, size in enumerate(sizes))


@pytest.mark.parametrize(
    "sizes",
    [(), (0,), (5,), (BLOCK,), (BLOCK, 1), (BLOCK - 1, 2, 0, BLOCK), (2 * BLOCK + 7,), (100_000,) * 100],
    ids=lambda sizes: str(sum(sizes)),
)
async def test_write_then_download_returns_the_bytes(
    account: AccountStorage, storage: Storage, path: BlobPath, tmp_path: Path, sizes: tuple[int, ...]
) -> None:
    assert await account.blobs.write(path, pieces(*sizes)) == sum(sizes)
    assert storage.blob(path.container, path.name) == whole(*sizes)
    assert await account.blobs.download_file(path, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == whole(*sizes)


async def test_upload_file_replaces_a_blob(
    account: AccountStorage, storage: Storage, path: BlobPath, tmp_path: Path
) -> None:
    content = whole(BLOCK, BLOCK, 99)
    (tmp_path / "file").write_bytes(content)

    await account.blobs.write(path, pieces(3 * BLOCK))
    await account.blobs.upload_file(tmp_path / "file", path)
    assert storage.blob(path.container, path.name) == content


async def test_write_sets_the_content_type(account: AccountStorage, storage: Storage, path: BlobPath) -> None:
    await account.blobs.write(path, pieces(1))
    properties = storage.blobs.get_blob_client(path.container, path.name).get_blob_properties()
    assert properties.content_settings.content_type == "application/xml"


async def test_write_joins_small_chunks_into_blocks(account: AccountStorage, storage: Storage, path: BlobPath) -> None:
    await account.blobs.write(path, pieces(*(1000,) * 10_000))
    committed, _ = storage.blobs.get_blob_client(path.container, path.name).get_block_list()
    assert len(committed) < 50


@pytest.mark.parametrize("most", [0, 9, BLOCK, 3 * BLOCK - 1])
async def test_write_over_the_limit_leaves_no_blob(
    account: AccountStorage, storage: Storage, path: BlobPath, most: int
) -> None:
    with pytest.raises(BlobTooLargeError):
        await account.blobs.write(path, pieces(*(BLOCK // 2,) * 6), most)
    assert storage.blob(path.container, path.name) is None
    assert await account.blobs.write(path, pieces(most), most) == most


class GoneAwayError(Exception):
    """The caller's connection broke."""


@pytest.mark.parametrize("sizes", [(5,), (BLOCK, BLOCK, 5)])
async def test_write_that_breaks_off_keeps_the_old_blob(
    account: AccountStorage, storage: Storage, path: BlobPath, sizes: tuple[int, ...]
) -> None:
    async def broken() -> AsyncIterator[bytes]:
        async for piece in pieces(*sizes):
            yield piece
        raise GoneAwayError

    for before in (None, whole(7)):
        with pytest.raises(GoneAwayError):
            await account.blobs.write(path, broken())
        assert storage.blob(path.container, path.name) == before
        await account.blobs.write(path, pieces(7))


async def test_cancelled_write_leaves_no_blob(account: AccountStorage, storage: Storage, path: BlobPath) -> None:
    begun = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        for number in count():
            yield bytes(BLOCK)
            await asyncio.sleep(0)
            if number == 3:
                begun.set()

    writing = asyncio.create_task(account.blobs.write(path, endless()))
    await begun.wait()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert storage.blob(path.container, path.name) is None


async def test_concurrent_writers_never_mix(account: AccountStorage, storage: Storage, path: BlobPath) -> None:
    async def alike(byte: bytes) -> AsyncIterator[bytes]:
        for _ in range(5):
            yield byte * (BLOCK // 2)
            await asyncio.sleep(0.01)

    # A commit discards the blocks of other writers, so all but one may fail.
    results = await asyncio.gather(
        *(account.blobs.write(path, alike(byte)) for byte in (b"a", b"b", b"c")), return_exceptions=True
    )
    assert any(isinstance(result, int) for result in results)
    content = storage.blob(path.container, path.name)
    assert content is not None
    assert (len(content), len(set(content))) == (5 * (BLOCK // 2), 1)


async def test_missing_blob_is_not_downloaded_and_may_be_deleted(
    account: AccountStorage, path: BlobPath, tmp_path: Path
) -> None:
    for _ in ("no container", "no blob"):
        assert not await account.blobs.download_file(path, tmp_path / "file")
        assert not (tmp_path / "file").exists()
        await account.blobs.delete(path)
        assert await account.blobs.list_blobs(path.container, "") == {}
        await account.blobs.create_container(path.container)


async def test_delete_removes_a_blob(account: AccountStorage, storage: Storage, path: BlobPath) -> None:
    await account.blobs.write(path, pieces(3))
    await account.blobs.delete(path)
    assert storage.blob(path.container, path.name) is None


async def test_list_blobs_returns_names_below_a_prefix(account: AccountStorage, path: BlobPath) -> None:
    names = ["a/1", "a/2 ü", "ab", "b/1"]
    for name in names:
        await account.blobs.write(BlobPath(path.container, name), pieces(1))
    assert list(await account.blobs.list_blobs(path.container, "a/")) == [
        BlobPath(path.container, name) for name in names[:2]
    ]
    assert len(await account.blobs.list_blobs(path.container, "")) == 4
    assert await account.blobs.list_names(path.container, "a/") == names[:2]
    assert await account.blobs.list_names("nothing", "") == []


async def test_download_that_fails_leaves_no_file(
    account: AccountStorage, path: BlobPath, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await account.blobs.write(path, pieces(3 * BLOCK))
    opened, calls = adapters.sdk_calls.storage_call, iter((60.0, -1.0))  # the second block is out of time
    monkeypatch.setattr(adapters.blobs.blocks, "storage_call", lambda _: opened(next(calls)))
    with pytest.raises(StorageError) as caught:
        await account.blobs.download_file(path, tmp_path / "file")
    assert caught.value.code is StorageErrorCode.TIMEOUT
    assert not (tmp_path / "file").exists()


async def test_a_download_that_is_cancelled_leaves_no_file(
    account: AccountStorage, path: BlobPath, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await account.blobs.write(path, pieces(3))
    opened, is_open = account.blobs.open, asyncio.Event()

    async def open_and_tell(wanted: BlobPath) -> adapters.blobs.store.OpenedBlob | None:
        blob = await opened(wanted)
        is_open.set()
        return blob

    monkeypatch.setattr(account.blobs, "open", open_and_tell)
    download = asyncio.create_task(account.blobs.download_file(path, tmp_path / "file"))
    await is_open.wait()
    time.sleep(0.05)  # noqa: ASYNC251 - a thread could open the file now, and the loop learns nothing of it
    download.cancel()
    with pytest.raises(asyncio.CancelledError):
        await download
    assert not (tmp_path / "file").exists()


def test_refused_credential_raises_access_denied(storage: Storage, path: BlobPath, tmp_path: Path) -> None:
    async def work(account: AccountStorage) -> None:
        files = account.blobs
        calls = (
            files.write(path, pieces(1)),
            files.write(path, pieces(BLOCK, BLOCK, BLOCK)),
            files.download_file(path, tmp_path / "file"),
            files.delete(path),
            files.list_blobs(path.container, ""),
            files.create_container(path.container),
        )
        for call in calls:
            with pytest.raises(StorageError) as caught:
                await call
            assert caught.value.code is StorageErrorCode.ACCESS_DENIED

    run_refused(storage, work)


def test_hanging_storage_raises_timeout(storage: Storage, path: BlobPath, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters.blobs.store, "BLOCK_SECONDS", 0.3)
    with listening(hang) as port:
        text = f"{storage.connection_string.rstrip(';')};BlobEndpoint=http://127.0.0.1:{port}/devstoreaccount1"

        async def work(account: AccountStorage) -> None:
            with pytest.raises(StorageError) as caught:
                await account.blobs.write(path, pieces(2 * BLOCK))
            assert caught.value.code is StorageErrorCode.TIMEOUT

        run(storage, work, text=text)


@pytest.mark.parametrize("size", [0, 5, 2 * BLOCK + 7])
async def test_an_opened_blob_says_its_size_and_streams(account: AccountStorage, path: BlobPath, size: int) -> None:
    await account.blobs.write(path, pieces(size))
    opened = await account.blobs.open(path)
    assert opened is not None
    content = [chunk async for chunk in opened.chunks]
    assert (opened.size, b"".join(content)) == (size, whole(size))
    assert max(map(len, content), default=0) <= BLOCK
    assert await account.blobs.get_size(path) == size


async def test_a_blob_that_is_not_there_has_no_size_and_is_not_opened(account: AccountStorage, path: BlobPath) -> None:
    for missing in (path, BlobPath("exports", "nothing")):
        assert (await account.blobs.open(missing), await account.blobs.get_size(missing)) == (None, None)
