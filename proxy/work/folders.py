"""A worker's folder for files on their way, which is gone when the worker is, also when it was killed."""

import fcntl
import logging
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger(__name__)

PREFIX = "spatial-data-proxy-worker-"
LOCK = "lock"

# Seconds. A folder this young may be one whose owner is about to lock it.
YOUNG = 60


@contextmanager
def own_folder() -> Iterator[Path]:
    """A folder among the system's temporary files; removes first what dead workers have left there.

    A worker holds a lock on a file in its folder, which the system lets go however the process ends. A number of a
    process would not tell: in containers each worker has the same.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if _is_abandoned(left):
            log.warning("files of a worker that died are removed")
            shutil.rmtree(left, ignore_errors=True)
    with (
        tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as folder,
        (Path(folder) / LOCK).open("wb") as lock,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Path(folder)


def _is_abandoned(folder: Path) -> bool:
    try:
        if folder.stat().st_mtime > time.time() - YOUNG:
            return False
        with (folder / LOCK).open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # it is held, or somebody else's, or gone
        return False
    return True
