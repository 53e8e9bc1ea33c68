"""Versions on disk while blobs, files, folders and disks fail: fetched again or an error, and never wrong."""

import asyncio
import errno
import os
import threading
import time
from pathlib import Path

import pytest

from adapters.account import AccountStorage
from adapters.cache_folder import make_private_folder
from adapters.errors import StorageError
from adapters.version_cache import (
    ABANDONED_SECONDS,
    CacheUnavailableError,
    VersionMissingError,
)
from tests.support.opened_account import run_refused
from tests.support.storage import Storage
from tests.support.version_caches import (
    WAIT,
    Cache,
    Version,
    delete_all,
    files,
    leave,
    open_files,
)

pytestmark = pytest.mark.anyio


async def test_damaged_file_is_fetched_again(account: AccountStorage, folder: Path, versions: list[str]) -> None:
    await Cache(folder).read(account, versions[0])
    (file,) = files(folder, ".arrow")
    file.write_bytes(b"nonsense")
    cache = Cache(folder)
    assert await cache.read(account, versions[0]) == versions[0].encode() * 100
    assert len(cache.converted) == 1


async def test_files_deleted_under_our_feet_are_fetched_again(
    account: AccountStorage, folder: Path, versions: list[str]
) -> None:
    await Cache(folder).read(account, versions[0])
    delete_all(folder)
    assert await Cache(folder).read(account, versions[0]) == versions[0].encode() * 100


async def test_missing_blob_is_an_error_and_leaves_no_file(account: AccountStorage, folder: Path) -> None:
    with pytest.raises(VersionMissingError):
        await Cache(folder).read(account, "nobody/0.parquet")
    assert not files(folder, ".part") + files(folder, ".arrow")


async def test_folder_that_cannot_be_made_is_an_error_with_its_name(
    account: AccountStorage, versions: list[str]
) -> None:
    folder = Path("/proc/self/cache")
    with pytest.raises(CacheUnavailableError, match=str(folder)):
        await Cache(folder).read(account, versions[0])


async def test_full_disk_is_an_error_and_leaves_no_file(
    account: AccountStorage, folder: Path, versions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(folder)

    def fill(blob: Path, file: Path) -> None:
        file.write_bytes(blob.read_bytes()[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cache, "convert", fill)
    with pytest.raises(CacheUnavailableError, match="No space left"):
        await cache.read(account, versions[0])
    assert not files(folder, ".part") + files(folder, ".arrow")


async def test_disk_that_other_versions_fill_has_room_for_the_next_attempt(
    account: AccountStorage, folder: Path, versions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(folder, max_bytes=10**9)  # more than the disk has
    for name in versions[:2]:
        await cache.read(account, name)
    convert = cache.convert

    def fill(blob: Path, file: Path) -> None:
        if files(folder, ".arrow"):
            raise OSError(errno.ENOSPC, "No space left on device")
        convert(blob, file)

    monkeypatch.setattr(cache, "convert", fill)
    with pytest.raises(CacheUnavailableError, match="No space left"):
        await cache.read(account, versions[2])
    assert await cache.read(account, versions[2]) == versions[2].encode() * 100


async def test_what_a_killed_process_left_of_a_version_goes_with_its_next_fetch(
    account: AccountStorage, folder: Path, versions: list[str]
) -> None:
    cache = Cache(folder)
    handle = await cache.get(account, versions[0])
    leave(folder, **{f"{handle.path.stem}.file.part.x1y2": 1.0, f"{handle.path.stem}.blob": 1.0, "other": 1.0})
    cache.cache.discard(handle)
    await cache.read(account, versions[0])
    assert [file.name for file in files(folder, ".part")] == ["other.part"]


async def test_files_of_killed_processes_are_deleted(
    account: AccountStorage, folder: Path, versions: list[str]
) -> None:
    leave(folder, old=ABANDONED_SECONDS + 10, new=0)
    await Cache(folder).read(account, versions[0])
    assert [file.name for file in files(folder, ".part")] == ["new.part"]


async def test_lock_of_an_earlier_fetch_is_not_deleted_while_it_is_held(
    account: AccountStorage, folder: Path, versions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(folder)
    handle = await cache.get(account, versions[0])
    lock = handle.path.with_suffix(".lock")
    os.utime(lock, (time.time() - ABANDONED_SECONDS - 10, 0))
    cache.cache.discard(handle)
    began, goes_on = threading.Event(), threading.Event()
    convert = cache.convert

    def wait(blob: Path, file: Path) -> None:
        began.set()
        goes_on.wait(WAIT)
        convert(blob, file)

    monkeypatch.setattr(cache, "convert", wait)
    fetching = asyncio.create_task(cache.read(account, versions[0]))
    await asyncio.to_thread(began.wait, WAIT)
    await Cache(folder).read(account, versions[1])  # looks for what is abandoned
    assert lock.exists()
    goes_on.set()
    await fetching


def test_storage_that_is_away_is_a_storage_error(storage: Storage, folder: Path) -> None:
    async def read(account: AccountStorage) -> None:
        with pytest.raises(StorageError):
            await Cache(folder).read(account, "a/b.parquet")

    run_refused(storage, read)


def test_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "target").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "target")
    for name in ("open", "link"):
        with pytest.raises(PermissionError, match="another user"):
            make_private_folder(tmp_path / name)


async def test_discarded_version_is_fetched_again(account: AccountStorage, folder: Path, versions: list[str]) -> None:
    cache = Cache(folder)
    cache.cache.discard(await cache.get(account, versions[0]))
    assert await cache.read(account, versions[0]) == versions[0].encode() * 100
    assert len(cache.converted) == 2


async def test_what_is_converted_to_nonsense_is_an_error(
    account: AccountStorage, folder: Path, versions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(folder)
    monkeypatch.setattr(cache, "convert", lambda _, file: file.write_bytes(b"nonsense"))
    with pytest.raises(CacheUnavailableError, match="just written"):
        await cache.read(account, versions[0])
    assert not files(folder, ".arrow")


async def test_a_file_that_cannot_be_opened_keeps_no_descriptor(
    account: AccountStorage, folder: Path, versions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Path) -> Version:
        raise OSError(errno.EMFILE, "Too many open files")

    cache = Cache(folder)
    await cache.read(account, versions[0])
    cache.cache.close()
    monkeypatch.setattr(cache, "open", fail)
    with pytest.raises(CacheUnavailableError, match="Too many open files"):
        await cache.read(account, versions[0])
    assert open_files(folder) == 0
