"""Caches versions of data sources on this machine's disk, for all its processes.

A version's blob never changes, so a file of it is never stale. It is fetched once, converted, and renamed into its
place when it is whole. Files in use are locked; beyond the size limit, the longest unused of the others go.
"""

import asyncio
import errno
import fcntl
import hashlib
import logging
import os
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from adapters.blobs.store import BlobStore
from adapters.cache_folder import make_private_folder
from adapters.instrumentation import NULL_OBSERVER, StorageObserver
from adapters.model.jobs import BlobPath
from adapters.model.versions import DamagedVersionError
from adapters.request_coalescing import SingleFlight

log = logging.getLogger(__name__)

MEGABYTE = 1024 * 1024

# Bytes of memory that the opened versions of one process take together, beside their mapped files.
MAX_OPENED_BYTES = 192 * MEGABYTE

# Versions that one process has open. Each takes two file descriptors, and a process may have a thousand.
MAX_OPENED_VERSIONS = 128

# The part of the cache's size, one in so many, that the versions used last take of memory by their mapped pages.
RESIDENT_PART = 8

# Seconds between two looks whether another process has fetched the same version.
LOCK_POLL_SECONDS = 0.05

# A used file gets a new time of use at most this often, in seconds.
TOUCH_SECONDS = 60.0

# An unfinished file that nobody has written to for so many seconds is left by a process that was killed.
ABANDONED_SECONDS = 3600.0

SUFFIX, LOCK_SUFFIX, PART_SUFFIX = ".arrow", ".lock", ".part"


class VersionMissingError(Exception):
    """The version's blob is gone."""


class CacheUnavailableError(Exception):
    """The disk does not take the version: it is full, read-only or broken. The text is fit for a log."""


class OpenedVersion(Protocol):
    """A version that queries can read."""

    @property
    def private_bytes(self) -> int:
        """Bytes of memory that it takes beside the mapped file."""
        ...

    def release_pages(self) -> None:
        """Lets the mapped pages go from this process's memory; the next query finds them in the system's."""


_Opened = TypeVar("_Opened", bound=OpenedVersion)


@dataclass(frozen=True, slots=True)
class VersionSource(Generic[_Opened]):
    """Where a version comes from, and how its file is made. Both functions run in a thread.

    Args:
        blobs: the account's blobs.
        endpoint: the account's blob endpoint: two accounts may have blobs of one name.
        blob: the version's blob.
        convert: makes the file to cache (second) of the blob's file (first).
        open_file: opens a cached file.
        observer: learns of each fetch.
    """

    blobs: BlobStore
    endpoint: str
    blob: BlobPath
    convert: Callable[[Path, Path], None]
    open_file: Callable[[Path], _Opened]
    observer: StorageObserver = NULL_OBSERVER

    @property
    def file_name(self) -> str:
        """The name of its file in the cache."""
        return hashlib.sha256(f"{self.endpoint}/{self.blob}".encode()).hexdigest() + SUFFIX


class VersionHandle(Generic[_Opened]):
    """An opened version with the shared lock on its file."""

    def __init__(self, version: _Opened, descriptor: int, path: Path) -> None:
        self.version = version
        """What queries read. Hold the handle meanwhile."""
        self.path = path
        self.size = os.fstat(descriptor).st_size
        """Bytes on disk."""
        self.is_resident = False
        """Whether a query has read it since its pages were released."""
        self._descriptor = descriptor
        self._touched_at = time.monotonic()

    def touch(self) -> None:
        """Renews the file's time of use."""
        if time.monotonic() - self._touched_at >= TOUCH_SECONDS:
            self._touched_at = time.monotonic()
            with suppress(OSError):  # deleted meanwhile: the mapped file stays readable
                # Another time of change would look like another content.
                os.utime(self.path, ns=(time.time_ns(), self.path.stat().st_mtime_ns))

    def __del__(self) -> None:
        """Unlocks the file when the last query that reads it has ended."""
        os.close(self._descriptor)


class VersionCache(Generic[_Opened]):
    """Files of versions, and those of them that this process has opened.

    Args:
        folder: where the files are; made when it is first used.
        max_bytes: the size of all files together.
        max_opened_bytes: the memory of the opened versions together.
    """

    def __init__(self, folder: Path, max_bytes: int, max_opened_bytes: int = MAX_OPENED_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._max_opened_bytes = max_opened_bytes
        self._opened: OrderedDict[str, VersionHandle[_Opened]] = OrderedDict()
        self._flights = SingleFlight()

    async def get(self, source: VersionSource[_Opened], wait: float | None = None) -> VersionHandle[_Opened]:
        """The opened version. Hold the handle while reading it.

        Args:
            source: the version.
            wait: seconds for this caller. The fetch goes on after that, and serves the next one.

        Raises:
            VersionMissingError: the blob is gone.
            DamagedVersionError: the blob is no version.
            CacheUnavailableError: the disk does not take it.
            StorageError: storage can't answer.
            TimeoutError: it took longer than `wait`.
        """
        name = source.file_name
        found = self._opened.get(name)
        handle = found or (await self._flights.run(name, lambda: self._load(source), wait))[0]
        if name in self._opened:
            self._opened.move_to_end(name)
        if not handle.is_resident:
            handle.is_resident = True
            self._release_unused()
        handle.touch()
        return handle

    def discard(self, handle: VersionHandle[_Opened]) -> None:
        """Forgets a version whose file turned out to be damaged, so that it is fetched again."""
        if self._opened.get(handle.path.name) is handle:
            del self._opened[handle.path.name]
            with suppress(OSError):
                handle.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Ends all fetches and closes the versions."""
        self._flights.close()
        self._opened.clear()

    def _keep(self, handle: VersionHandle[_Opened]) -> None:
        """Keeps a version open, and closes the longest unused ones beyond the limits.

        An open file is locked, so it has to be closed before it can be deleted. One that a query reads closes with its
        last handle.
        """
        opened = self._opened
        opened[handle.path.name] = handle
        used = sum(each.version.private_bytes for each in opened.values())
        size = sum(each.size for each in opened.values())
        while len(opened) > 1 and (
            used > self._max_opened_bytes or size > self._max_bytes or len(opened) > MAX_OPENED_VERSIONS
        ):
            _, closed = opened.popitem(last=False)
            used, size = used - closed.version.private_bytes, size - closed.size

    def _release_unused(self) -> None:
        """Releases the pages of the longest unused versions beyond a part of the cache's size.

        The system would take them back when memory is short; until then they count as this process's.
        """
        size = 0
        for handle in reversed(self._opened.values()):
            size += handle.size
            if handle.is_resident and size * RESIDENT_PART > self._max_bytes and size > handle.size:
                handle.version.release_pages()
                handle.is_resident = False

    async def _load(self, source: VersionSource[_Opened]) -> VersionHandle[_Opened]:
        path = self._folder / source.file_name
        try:
            await asyncio.to_thread(make_private_folder, self._folder)
            handle = await asyncio.to_thread(_try_open, source, path)
            if handle is not None:
                self._keep(handle)
                return handle
            async with _locked(path.with_suffix(LOCK_SUFFIX)):
                handle = await asyncio.to_thread(_try_open, source, path)
                if handle is None:
                    await _fetch(source, path)
                    handle = await asyncio.to_thread(_try_open, source, path)
                if handle is not None:
                    self._keep(handle)
                await asyncio.to_thread(self._evict, self._max_bytes)
        except OSError as error:
            if error.errno == errno.ENOSPC:  # the next attempt finds the room of all that no query reads now
                self._opened.clear()
                await asyncio.to_thread(self._evict, 0)
            raise CacheUnavailableError(f"{self._folder}: {error.strerror or type(error).__name__}") from error
        if handle is None:
            raise CacheUnavailableError(f"{self._folder}: a file that was just written can't be read")
        return handle

    def _evict(self, max_bytes: int) -> None:
        """Deletes the longest unused files beyond the size limit, but none in use, and what killed processes left."""
        found = []
        for file in self._folder.iterdir():
            with suppress(FileNotFoundError):
                found.append((file.stat().st_atime, file.stat().st_size, file))
        for used, _, file in found:
            if file.suffix != SUFFIX and time.time() - used > ABANDONED_SECONDS:
                file.unlink(missing_ok=True)
        files = sorted(each for each in found if each[2].suffix == SUFFIX)
        total = sum(size for _, size, _ in files)
        for _, size, file in files:
            if total <= max_bytes:
                return
            if _delete_unused(file):
                total -= size


def _try_open(source: VersionSource[_Opened], path: Path) -> VersionHandle[_Opened] | None:
    """Opens a file under a shared lock; None where there is none, or a damaged one, which it deletes."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        version = source.open_file(path)
    except (DamagedVersionError, FileNotFoundError) as error:  # the second: another process has just evicted it
        os.close(descriptor)
        path.unlink(missing_ok=True)
        log.warning("a cached version is fetched again: %s", type(error).__name__)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return VersionHandle(version, descriptor, path)


async def _fetch(source: VersionSource[_Opened], path: Path) -> None:
    """Makes the file of a version. Its lock is held, so that each unfinished file of its name is a leftover."""
    started = time.perf_counter()
    part, converted = (path.with_suffix(f".{kind}{PART_SUFFIX}") for kind in ("blob", "file"))
    try:
        if not await source.blobs.download_file(source.blob, part):
            raise VersionMissingError(str(source.blob))
        await asyncio.to_thread(source.convert, part, converted)
        await asyncio.to_thread(converted.replace, path)
    finally:
        for file in path.parent.glob(f"{path.stem}.*{PART_SUFFIX}"):
            file.unlink(missing_ok=True)
    seconds = time.perf_counter() - started
    source.observer.version_fetched(seconds)
    log.info("fetched a version", extra={"duration_ms": round(seconds * 1000)})


def _delete_unused(file: Path) -> bool:
    """Deletes a file that no process has opened; whether it did."""
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.unlink(missing_ok=True)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


@asynccontextmanager
async def _locked(path: Path) -> AsyncIterator[None]:
    """Holds a lock file against other processes: one of them fetches, the others find its file."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(LOCK_POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)
