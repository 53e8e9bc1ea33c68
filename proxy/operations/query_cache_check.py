"""Checks the folder in which queries keep versions of data sources."""

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from adapters.cache_folder import default_folder, make_private_folder
from proxy.operations.checks import Check, PartCheck
from proxy.settings import variable_name

MEGABYTE = 1024 * 1024

# Beside the cache's own size: versions that are being fetched, each as its blob and as its file.
SPARE_MB = 1024


def check_query_cache(cache_mb: int, folder: Path | None = None) -> Check:
    """Writes to the folder of the cache, and looks how much room its disk has.

    Args:
        cache_mb: the most that the cache takes, in megabytes.
        folder: the folder; None for that of this user's servers under TMPDIR.

    Returns:
        Whether queries can keep versions there, and what is wrong or how much room there is. Too little room is no
        fault before the disk is full: data sources may be small.
    """
    folder = folder or default_folder()
    try:
        make_private_folder(folder)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(MEGABYTE))
            file.flush()
        free = shutil.disk_usage(folder).free
        kept = _bytes_in(folder)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        advice = "queries get a 503. Lead TMPDIR to a disk that can be written"
        return _check(f"{folder} can't be used: {reason}; {advice}", is_sound=False)
    wanted, room = cache_mb + SPARE_MB, (free + kept) // MEGABYTE
    text = f"{folder} has room for {room:,} MB"
    if room >= wanted:
        return _check(text)
    lower = f"lower {variable_name('query_cache_mb')}" + (f" to {room - SPARE_MB:,}" if room > SPARE_MB else "")
    return _check(f"{text} of {wanted:,}: enlarge the disk, or {lower}", is_missing=True)


def _bytes_in(folder: Path) -> int:
    """The size of all files. A server beside this process may delete one meanwhile."""
    total = 0
    for file in folder.iterdir():
        with suppress(FileNotFoundError):
            total += file.stat().st_size
    return total


def _check(remark: str, *, is_sound: bool = True, is_missing: bool = False) -> Check:
    return Check("query cache", (PartCheck("", is_sound, remark, is_missing=is_missing),))
