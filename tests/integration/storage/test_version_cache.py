"""Versions on disk: fetched once, shared, and bounded."""

import asyncio
import threading
import time
from pathlib import Path

import pytest

from adapters.account import AccountStorage
from adapters.cache_folder import default_folder
from adapters.model.jobs import BlobPath
from adapters.version_cache import MAX_CONVERSIONS
from tests.support.version_caches import (
    MARK,
    WAIT,
    Cache,
    files,
    holding,
    make_older,
    open_files,
)

pytestmark = pytest.mark.anyio


async def test_concurrent_callers_share_one_fetch(account: AccountStorage, folder: Path, versions: list[str]) -> None:
    cache = Cache(folder)
    contents = await asyncio.gather(*(cache.read(account, versions[0]) for _ in range(20)))
    assert set(contents) == {versions[0].encode() * 100}
    assert len(cache.converted) == 1


async def test_few_versions_are_converted_at_a_time(
    account: AccountStorage, folder: Path, versions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, full = Cache(folder), threading.Event()
    convert, converting, seen = cache.convert, set[Path](), list[int]()

    def slow(blob: Path, file: Path) -> None:
        converting.add(file)
        if len(converting) == MAX_CONVERSIONS:
            full.set()
        full.wait(WAIT)
        time.sleep(0.1)  # so that one more could begin
        seen.append(len(converting))
        convert(blob, file)
        converting.discard(file)

    monkeypatch.setattr(cache, "convert", slow)
    contents = await asyncio.gather(*(cache.read(account, name) for name in versions))
    assert contents == [name.encode() * 100 for name in versions]
    assert max(seen) == MAX_CONVERSIONS


async def test_few_versions_of_an_account_are_fetched_at_a_time(
    account: AccountStorage, folder: Path, versions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.version_cache.MAX_FETCHES", 2)
    download, downloading, seen = account.blobs.download_file, set[Path](), list[int]()
    full = asyncio.Event()

    async def slow(path: BlobPath, file: Path) -> bool:
        downloading.add(file)
        if len(downloading) == 2:
            full.set()
        await full.wait()
        await asyncio.sleep(0.1)  # so that one more could begin
        seen.append(len(downloading))
        found = await download(path, file)
        downloading.discard(file)
        return found

    monkeypatch.setattr(account.blobs, "download_file", slow)
    cache = Cache(folder)
    contents = await asyncio.gather(*(cache.read(account, name) for name in versions))
    assert contents == [name.encode() * 100 for name in versions]
    assert max(seen) == 2


async def test_two_caches_of_one_folder_share_the_file(
    account: AccountStorage, folder: Path, versions: list[str]
) -> None:
    caches = [Cache(folder), Cache(folder)]
    contents = await asyncio.gather(*(cache.read(account, versions[0]) for cache in caches))
    assert set(contents) == {versions[0].encode() * 100}
    assert sum(len(cache.converted) for cache in caches) == 1


async def test_longest_unused_files_are_evicted_first(
    account: AccountStorage, folder: Path, versions: list[str]
) -> None:
    size = len(MARK + versions[0].encode() * 100)
    for number, name in enumerate(versions):
        cache = Cache(folder, max_bytes=2 * size)
        await cache.read(account, name)
        cache.cache.close()
        make_older(folder, 100 * (3 - number))
    assert len(files(folder, ".arrow")) == 2
    again = Cache(folder, max_bytes=2 * size)
    await again.read(account, versions[2])
    await again.read(account, versions[1])
    assert not again.converted


async def test_file_in_use_is_not_evicted(account: AccountStorage, folder: Path, versions: list[str]) -> None:
    cache = Cache(folder, max_bytes=1)
    held = await cache.get(account, versions[0])
    await Cache(folder, max_bytes=1).read(account, versions[1])
    assert held.version.content == versions[0].encode() * 100
    other = Cache(folder)
    await other.read(account, versions[0])
    assert not other.converted


async def test_files_that_a_process_has_open_are_bounded_by_their_size(
    account: AccountStorage, folder: Path, versions: list[str]
) -> None:
    cache = Cache(folder, max_bytes=2 * len(MARK + versions[0].encode() * 100))
    for name in versions:
        await cache.read(account, name)
    assert len(files(folder, ".arrow")) == 2
    assert await cache.read(account, versions[0]) == versions[0].encode() * 100
    assert len(cache.converted) == 4


async def test_opened_versions_are_bounded_by_their_number(
    account: AccountStorage, folder: Path, versions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.version_cache.MAX_OPENED_VERSIONS", 2)
    cache = Cache(folder)
    for name in versions * 2:
        await cache.read(account, name)
    assert open_files(folder) == 2
    assert len(cache.converted) == 3


async def test_opened_versions_are_bounded_by_their_memory(
    account: AccountStorage, folder: Path, versions: list[str]
) -> None:
    cache = Cache(folder, private_bytes=600)
    for name in versions:
        await cache.read(account, name)
    assert len(cache.cache._opened) == 1  # noqa: SLF001 - what is open shows nowhere else
    assert await cache.read(account, versions[0]) == versions[0].encode() * 100


async def test_caller_that_gives_up_does_not_end_the_fetch(
    account: AccountStorage, folder: Path, versions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, goes_on = Cache(folder), threading.Event()
    convert = cache.convert

    def wait(blob: Path, file: Path) -> None:
        goes_on.wait(WAIT)
        convert(blob, file)

    monkeypatch.setattr(cache, "convert", wait)
    with pytest.raises(TimeoutError):
        await cache.read(account, versions[0], wait=0.01)
    goes_on.set()
    assert await cache.read(account, versions[0]) == versions[0].encode() * 100
    assert len(cache.converted) == 1


async def test_version_cache_waits_for_another_process_that_fetches(
    account: AccountStorage, folder: Path, versions: list[str]
) -> None:
    await Cache(folder).read(account, versions[0])
    (file,) = files(folder, ".arrow")
    file.unlink()
    lock = file.with_suffix(".lock")
    cache = Cache(folder)
    with holding(lock):
        with pytest.raises(TimeoutError):
            await cache.read(account, versions[0], wait=0.3)
        assert not cache.converted
    assert await cache.read(account, versions[0]) == versions[0].encode() * 100


def test_default_folder_is_under_the_temporary_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert default_folder().parent == tmp_path


async def test_use_renews_the_time_of_access_alone(
    account: AccountStorage, folder: Path, versions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.version_cache.TOUCH_SECONDS", 0.0)
    cache = Cache(folder)
    await cache.read(account, versions[0])
    make_older(folder, 500)
    (before,) = (file.stat() for file in files(folder, ".arrow"))
    await cache.read(account, versions[0])
    (after,) = (file.stat() for file in files(folder, ".arrow"))
    assert after.st_mtime_ns == before.st_mtime_ns
    assert after.st_atime > before.st_atime + 400


async def test_pages_of_the_longest_unused_versions_are_released(
    account: AccountStorage, folder: Path, versions: list[str]
) -> None:
    first, second, third = (name.encode() * 100 for name in versions)
    cache = Cache(folder, max_bytes=8 * 2 * len(MARK + first))
    for name in versions:
        for _ in range(2):
            await cache.read(account, name)
    assert cache.released == [first]
    assert await cache.read(account, versions[1]) == second
    assert await cache.read(account, versions[0]) == first
    assert cache.released == [first, third]
