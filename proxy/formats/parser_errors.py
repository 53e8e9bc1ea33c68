"""Turns exceptions of parsing libraries into our own error, so that no customer reads their text and no try repeats."""

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import extract_tb

from proxy.formats.schema import InvalidDataError

log = logging.getLogger(__name__)

_OF_DATA = {None, errno.EINVAL}
"""Of an OSError that is about the data: gzip's own has no number, and a ZIP file may name a place before its start."""


@contextmanager
def unusable(message: str, *, foreseen: bool = True) -> Iterator[None]:
    """Raises UnusableError with this message instead of any other error, but for those of this machine.

    Args:
        message: what is told to who sent the data.
        foreseen: False where nothing is expected to be raised; the log then says where it was, without the data.

    Raises:
        UnusableError: the data can't be read.
    """
    try:
        yield
    except (InvalidDataError, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno not in _OF_DATA:
            raise  # a disk that is full or broken
        if not foreseen:
            where = extract_tb(error.__traceback__)[-1]
            log.error("a reader raised %s in %s, line %s", type(error).__name__, where.filename, where.lineno)  # noqa: TRY400  its text may hold data
        raise InvalidDataError(message) from error
