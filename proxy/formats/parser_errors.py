"""Translates exceptions of parsing libraries: a caller never reads their text, and a worker does not retry."""

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import extract_tb

from proxy.formats.schema import InvalidDataError

log = logging.getLogger(__name__)

_OF_DATA = {None, errno.EINVAL}
"""Of an OSError about the data: gzip's has no number, and a ZIP file may name a position before its start."""


@contextmanager
def translate_errors(message: str, *, expected: bool = True) -> Iterator[None]:
    """Raises InvalidDataError with a message instead of any other error, except those of this machine.

    Args:
        message: the reason why the data can't be read, for its sender.
        expected: whether errors are part of reading such data. If not, the log names the source line, without the data.

    Raises:
        InvalidDataError: the data can't be read.
    """
    try:
        yield
    except (InvalidDataError, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno not in _OF_DATA:
            raise  # a disk that is full or broken
        if not expected:
            where = extract_tb(error.__traceback__)[-1]
            log.error("a reader raised %s in %s, line %s", type(error).__name__, where.filename, where.lineno)  # noqa: TRY400  its text may hold data
        raise InvalidDataError(message) from error
