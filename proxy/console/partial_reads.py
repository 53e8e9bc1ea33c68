"""Reads for a page that shows what it gets, and says what it does not get."""

from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import TypeVar

from adapters.errors import StorageError

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class PartialReads:
    """Reads side by side. `problems`: what could not be read, and why."""

    problems: list[tuple[str, StorageError]] = field(default_factory=list)

    async def read(self, what: str, reading: Awaitable[_T], instead: _T) -> _T:
        """What is read; where storage can't answer, a problem and something else."""
        try:
            return await reading
        except StorageError as error:
            self.problems.append((what, error))
            return instead
