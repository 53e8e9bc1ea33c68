"""A lock that one process of a machine holds."""

import fcntl
import os
import tempfile
from pathlib import Path


class ProcessLock:
    """A file in the temporary folder that one process of this user locks until its end.

    It says nothing of other machines, nor of containers with temporary folders of their own.
    """

    def __init__(self, name: str) -> None:
        self._name = f"spatial-data-proxy-{os.getuid()}-{name}.lock"
        self._handle: int | None = None

    def acquire(self) -> bool:
        """Whether this process holds the lock; it does where no such file can be made, as nobody else can."""
        if self._handle is not None:
            return True
        try:
            path = Path(tempfile.gettempdir()) / self._name
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError:
            return True
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            return False
        self._handle = handle
        return True

    def release(self) -> None:
        """Lets another process have it."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
