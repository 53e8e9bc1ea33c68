"""Edits a JSON file so that nobody ever reads half of it, and no other edit is lost."""

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
    """Gives an object to fill; when the block ends well, it replaces the file in one step.

    The file keeps its mode and, where that is allowed, its owner; a new one is for its owner alone. A link stays a
    link. Edits wait for each other. A block that raises changes nothing.
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
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")  # for its owner alone
    try:
        # The new file is as closed as the old one before the first secret stands in it.
        if target.exists():
            _close_as(target.stat(), handle)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _close_as(known: os.stat_result, handle: int) -> None:
    mode = known.st_mode & 0o7777
    try:
        os.fchown(handle, known.st_uid, known.st_gid)
    except PermissionError:
        mode &= 0o707  # the group would be another one
    os.fchmod(handle, mode)
