"""Versions in the cache on disk, for tests: small files with a mark, and a cache that counts what it fetches."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from adapters.account import AccountStorage
from adapters.model.jobs import BlobPath
from adapters.model.versions import DamagedVersionError
from adapters.version_cache import (
    VersionCache,
    VersionHandle,
    VersionSource,
)

MARK = b"whole:"
WAIT = 60.0


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

    def open(self, file: Path) -> Version:
        content = file.read_bytes()
        if not content.startswith(MARK):
            raise DamagedVersionError
        return Version(content.removeprefix(MARK), self._private_bytes, self.released)

    async def get(self, account: AccountStorage, name: str, wait: float = WAIT) -> VersionHandle[Version]:
        """A version that `put` wrote."""
        blob = BlobPath("datasources", name)
        source = VersionSource(account.blobs, account.blob_url, blob, self.convert, self.open)
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
    folder.mkdir(mode=0o700, exist_ok=True)
    for name, age in ages.items():
        (folder / f"{name}.part").write_bytes(b"half")
        os.utime(folder / f"{name}.part", (time.time() - age, 0))


@contextmanager
def holding(lock: Path) -> Iterator[None]:
    """Holds a lock file as another process does: locks belong to the open file, not to the process."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def make_older(folder: Path, seconds: float) -> None:
    for file in files(folder, ".arrow"):
        os.utime(file, (file.stat().st_atime - seconds, file.stat().st_mtime))


def open_files(folder: Path) -> int:
    """How many files of a folder this process has open, deleted ones too; what other tests left open is not of it."""
    links = Path("/proc/self/fd").iterdir()
    return sum(_target(link).startswith(f"{folder}/") for link in links)


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except FileNotFoundError:  # it was closed meanwhile, as the folder's own listing is
        return ""
