"""Edits a JSON file so that no process reads half of it, and no other edit is lost."""

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def edit_atomically(path: Path) -> Iterator[dict[str, Any]]:
    """Yields an object to fill. When the block ends without an error, it replaces the file in one step.

    The file keeps its mode and, where that is allowed, its owner. Only its owner may read a new file. A link stays a
    link. Edits wait for each other.
    """
    target = path.resolve()
    directory = os.open(target.parent, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        content: dict[str, Any] = {}
        yield content
        _replace(target, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
        os.fsync(directory)
    finally:
        os.close(directory)


def _replace(target: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")  # readable by its owner only
    try:
        # Before the first secret is in it, the new file is as closed as the old one.
        if target.exists():
            _copy_access(target.stat(), handle)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _copy_access(old: os.stat_result, handle: int) -> None:
    mode = old.st_mode & 0o7777
    try:
        os.fchown(handle, old.st_uid, old.st_gid)
    except PermissionError:
        mode &= 0o707  # the group would be another one
    os.fchmod(handle, mode)
