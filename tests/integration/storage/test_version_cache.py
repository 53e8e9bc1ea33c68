"""Versions on disk: fetched once, whole, bounded, private, and never wrong."""

import asyncio
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from adapters.account import AccountStorage
from adapters.cache_folder import default_folder, make_private_folder
from adapters.errors import StorageError
from adapters.model.jobs import BlobPath
from adapters.model.versions import DamagedVersionError
from adapters.version_cache import (
    ABANDONED_SECONDS,
    CacheUnavailableError,
    VersionCache,
    VersionHandle,
    VersionMissingError,
    VersionSource,
)
from tests.support.opened_account import run_refused
from tests.support.storage import Storage

pytestmark = pytest.mark.anyio

MARK = b"whole:"
WAIT = 20.0


@dataclass(frozen=True)
class Version:
    """A version as the cache sees it; its file begins with a mark, so that another one is known as damaged."""

    content: bytes
    private_bytes: int = 0
    released: list[bytes] = field(default_factory=list)

    def release_pages(self) -> None:
        """Notes it, by the content."""
        self.released.append(self.content)


class Cache:
    """A cache that counts what it converts."""

    def __init__(self, folder: Path, max_bytes: int = 10_000, private_bytes: int = 0, max_opened: int = 1000) -> None:
        self.converted: list[bytes] = []
        self.released: list[bytes] = []
        self._private_bytes = private_bytes
        self.cache: VersionCache[Version] = VersionCache(folder, max_bytes, max_opened)

    def convert(self, blob: Path, file: Path) -> None:
        self.converted.append(blob.read_bytes())
        file.write_bytes(MARK + blob.read_bytes())

    def _open(self, file: Path) -> Version:
        content = file.read_bytes()
        if not content.startswith(MARK):
            raise DamagedVersionError
        return Version(content.removeprefix(MARK), self._private_bytes, self.released)

    async def get(self, account: AccountStorage, name: str, wait: float = WAIT) -> VersionHandle[Version]:
        """A version that `put` wrote."""
        blob = BlobPath("datasources", name)
        source = VersionSource(account.blobs, account.blob_url, blob, self.convert, self._open)
        return await self.cache.get(source, wait)

    async def read(self, account: AccountStorage, name: str, wait: float = WAIT) -> bytes:
        """Its content."""
        return (await self.get(account, name, wait)).version.content


async def put(account: AccountStorage, name: str, content: bytes) -> None:
    await account.blobs.upload_bytes(content, BlobPath("datasources", name))


def files(folder: Path, suffix: str) -> list[Path]:
    return sorted(folder.glob(f"*{suffix}"))


def delete_all(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


def leave(folder: Path, **ages: float) -> None:
    """Leaves unfinished files of these ages in seconds."""
    folder.mkdir(mode=0o700)
    for name, age in ages.items():
        (folder / f"{name}.part").write_bytes(b"half")
        os.utime(folder / f"{name}.part", (time.time() - age, 0))


@contextmanager
def holding(lock: Path) -> Iterator[None]:
    """Holds a lock file as another process does: locks belong to the open file, not to the process."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def make_older(folder: Path, seconds: float) -> None:
    for file in files(folder, ".arrow"):
        os.utime(file, (file.stat().st_atime - seconds, file.stat().st_mtime))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
async def versions(account: AccountStorage, storage: Storage) -> list[str]:
    """Three versions of 3,000 bytes."""
    names = [f"{storage.account}/{number}.parquet" for number in range(3)]
    for name in names:
        await put(account, name, name.encode() * 100)
    return names


async def test_concurrent_callers_share_one_fetch(account: AccountStorage, folder: Path, versions: list[str]) -> None:
    cache = Cache(folder)
    contents = await asyncio.gather(*(cache.read(account, versions[0]) for _ in range(20)))
    assert set(contents) == {versions[0].encode() * 100}
    assert len(cache.converted) == 1


async def test_two_caches_of_one_folder_share_the_file(
    account: AccountStorage, folder: Path, versions: list[str]
) -> None:
    caches = [Cache(folder), Cache(folder)]
    contents = await asyncio.gather(*(cache.read(account, versions[0]) for cache in caches))
    assert set(contents) == {versions[0].encode() * 100}
    assert sum(len(cache.converted) for cache in caches) == 1


async def test_damaged_file_is_fetched_again(account: AccountStorage, folder: Path, versions: list[str]) -> None:
    await Cache(folder).read(account, versions[0])
    (file,) = files(folder, ".arrow")
    file.write_bytes(b"nonsense")
    cache = Cache(folder)
    assert await cache.read(account, versions[0]) == versions[0].encode() * 100
    assert len(cache.converted) == 1


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
    before = open_files()
    for name in versions * 2:
        await cache.read(account, name)
    assert open_files() == before + 2
    assert len(cache.converted) == 3


async def test_opened_versions_are_bounded_by_their_memory(
    account: AccountStorage, folder: Path, versions: list[str]
) -> None:
    cache = Cache(folder, private_bytes=600)
    for name in versions:
        await cache.read(account, name)
    assert len(cache.cache._opened) == 1  # noqa: SLF001 - what is open shows nowhere else
    assert await cache.read(account, versions[0]) == versions[0].encode() * 100


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
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache, "convert", fill)
    with pytest.raises(CacheUnavailableError, match="No space left"):
        await cache.read(account, versions[0])
    assert not files(folder, ".part") + files(folder, ".arrow")


async def test_caller_that_gives_up_does_not_end_the_fetch(
    account: AccountStorage, folder: Path, versions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(folder)
    convert = cache.convert

    def slow(blob: Path, file: Path) -> None:
        time.sleep(0.5)
        convert(blob, file)

    monkeypatch.setattr(cache, "convert", slow)
    with pytest.raises(TimeoutError):
        await cache.read(account, versions[0], wait=0.01)
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


async def test_files_of_killed_processes_are_deleted(
    account: AccountStorage, folder: Path, versions: list[str]
) -> None:
    leave(folder, old=ABANDONED_SECONDS + 10, new=0)
    await Cache(folder).read(account, versions[0])
    assert [file.name for file in files(folder, ".part")] == ["new.part"]


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


def test_default_folder_is_under_the_temporary_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert default_folder().parent == tmp_path


async def test_discarded_version_is_fetched_again(account: AccountStorage, folder: Path, versions: list[str]) -> None:
    cache = Cache(folder)
    cache.cache.discard(await cache.get(account, versions[0]))
    assert await cache.read(account, versions[0]) == versions[0].encode() * 100
    assert len(cache.converted) == 2


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
