"""The directory for a worker's temporary files. Other workers remove it if its worker was killed."""

import asyncio
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from proxy.worker.heartbeat import ABANDONED_SECONDS, BEAT_SECONDS, PREFIX, heartbeat_ages, write_heartbeat

log = logging.getLogger(__name__)

# Heartbeats between two searches for abandoned directories. They are rare, so a clock that jumps rarely hits one.
SEARCH_BEATS = 60


@contextmanager
def work_directory() -> Iterator[Path]:
    """Creates the directory in the system's temporary directory, and removes it at the end."""
    with TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


async def keep_work_directory(folder: Path) -> None:
    """Writes heartbeats, and removes the directories of dead workers, until it is cancelled."""
    for beat in count():
        write_heartbeat(folder)
        if beat % SEARCH_BEATS == 0:
            await asyncio.to_thread(remove_abandoned)
        await asyncio.sleep(BEAT_SECONDS)


def remove_abandoned() -> None:
    """Removes the work directories of dead workers."""
    for folder, age in heartbeat_ages().items():
        if age > ABANDONED_SECONDS:
            log.warning("the files of a dead worker are removed")
            shutil.rmtree(folder, ignore_errors=True)
