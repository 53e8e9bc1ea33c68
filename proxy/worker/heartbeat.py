"""Heartbeats: each worker sets the modification time of its work directory every second.

The health check imports this module, so it imports nothing slow.
"""

import os
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import Path

PREFIX = "spatial-data-proxy-worker-"

BEAT_SECONDS = 1.0

ABANDONED_SECONDS = 60.0
"""The worker of a directory without a heartbeat for longer is dead. If it is only stuck, others have its jobs."""


def write_heartbeat(folder: Path) -> None:
    """Sets the directory's modification time. Errors are ignored, because the health check notices the silence."""
    with suppress(OSError):
        os.utime(folder)


def heartbeat_ages() -> dict[Path, float]:
    """The work directories of this user's workers, each with the seconds since its last heartbeat."""
    ages = {}
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            found = folder.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid():
                ages[folder] = time.time() - found.st_mtime
    return ages
