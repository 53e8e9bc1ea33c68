"""The folder on disk that the processes of one user share, and nobody else may write to."""

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path


def default_folder() -> Path:
    """The folder of this user's processes under TMPDIR."""
    return Path(tempfile.gettempdir()) / f"spatial-data-proxy-{os.getuid()}"


def make_private_folder(folder: Path) -> None:
    """Makes a folder that only its owner may enter. Others may write to the folder above it.

    Raises:
        OSError: it can't be made, or it belongs to somebody else.
    """
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700, parents=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise PermissionError(0, "belongs to another user, or others may write to it; delete it")
