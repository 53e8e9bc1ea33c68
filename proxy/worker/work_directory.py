"""A worker's folder for files on their way, which is gone when the worker is, also when it was killed.

The lock in it also tells others that the worker lives: it is held, and its time is set anew each second.
"""

import errno
import fcntl
import logging
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

log = logging.getLogger(__name__)

PREFIX = "spatial-data-proxy-worker-"
NEW = "new-"
LOCK = "lock"

BEAT_SECONDS = 1.0


@contextmanager
def work_directory() -> Iterator[Path]:
    """A folder among the system's temporary files; removes first what dead workers have left there.

    A worker holds a lock on a file in its folder, which the system lets go however the process ends. A number of a
    process would not tell: in containers each worker has the same. The folder gets its name when it is locked.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if _is_abandoned(left):
            log.warning("files of a worker that died are removed")
            shutil.rmtree(left, ignore_errors=True)
    new = Path(tempfile.mkdtemp(prefix=f"{NEW}{PREFIX}"))
    with (new / LOCK).open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = new.rename(new.with_name(new.name.removeprefix(NEW)))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def write_heartbeat(folder: Path) -> None:
    """A sign of life. A disk that takes none is no reason to end: whoever looks for signs will miss them."""
    with suppress(OSError):
        os.utime(folder / LOCK)


def read_heartbeats() -> list[float]:
    """When each worker that lives gave its last sign of life, in seconds since 1970. Changes nothing."""
    beats = []
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError), _opened(folder) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:  # it is held
                beats.append(os.fstat(lock.fileno()).st_mtime)
    return beats


def _opened(folder: Path, flags: int = os.O_RDONLY) -> IO[bytes]:
    """The lock of a worker's folder, as far as it is one of this user's: others may put anything there.

    Raises:
        OSError: it is none, or gone.
    """
    if folder.lstat().st_uid != os.getuid():
        raise PermissionError(errno.EACCES, "another user's folder")
    file = os.fdopen(os.open(folder / LOCK, flags | os.O_NONBLOCK | os.O_NOFOLLOW), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "no plain file")
    return file


def _is_abandoned(folder: Path) -> bool:
    try:
        with _opened(folder, os.O_RDWR | os.O_CREAT) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # it is held, or another user's, or gone meanwhile
        return False
    return True
