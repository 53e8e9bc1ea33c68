"""Refusals of requests in the words of operations."""

from collections.abc import Iterator
from contextlib import contextmanager

from adapters.tables.properties import MalformedRowError
from proxy.operations.errors import OperationError
from proxy.wire.errors import ApiError


@contextmanager
def translated_refusals(problem: str) -> Iterator[None]:
    """Raises OperationError in the place of what a request would be refused with.

    Args:
        problem: what is not possible, for a row that can't be read.
    """
    try:
        yield
    except ApiError as error:
        raise OperationError(error.code.value.format_text(error.values)) from None
    except MalformedRowError as error:
        raise OperationError(f"{problem}: {error}.") from None
