"""Locks on files, which the processes of a machine share. The system frees those of a process that is killed."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

# Seconds between two looks whether another process has fetched the same version.
LOCK_POLL_SECONDS = 0.05


def delete_unused(file: Path) -> bool:
    """Deletes a file on which no process has a lock; returns whether it did."""
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
async def hold_lock(path: Path) -> AsyncIterator[None]:
    """Holds a lock file against other processes: one of them fetches, the others find its file."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.utime(descriptor)  # one of an earlier fetch would look abandoned, and be deleted while it is held
                break
            except BlockingIOError:
                await asyncio.sleep(LOCK_POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)
