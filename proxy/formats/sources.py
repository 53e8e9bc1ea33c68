"""Where rows come from: a format that reads a stream, and a file that is opened for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from proxy.formats.batches import RawRows
from proxy.formats.decompression import open_input
from proxy.formats.limits import LoadLimits
from proxy.formats.schema_validation import DeclaredSchema


class StreamFormat(Protocol):
    """A format of one file: its schema, then its rows, each from the file's start."""

    @property
    def suffix(self) -> str | None:
        """What the file's name ends in, inside a ZIP file that holds others too."""
        ...

    def declared(self, data: IO[bytes]) -> DeclaredSchema:
        """The schema; UnusableError if there is none."""
        ...

    def rows(self, data: IO[bytes], declared: DeclaredSchema) -> Iterator[RawRows]:
        """The rows; UnusableError as soon as the file turns out to be unusable."""
        ...


class Source(Protocol):
    """What a load reads: its schema, then its rows."""

    def declared(self) -> DeclaredSchema:
        """The schema; UnusableError if there is none."""
        ...

    def rows(self, declared: DeclaredSchema) -> Iterator[RawRows]:
        """The rows; UnusableError as soon as the data turns out to be unusable."""
        ...


@dataclass(frozen=True, slots=True)
class FileSource:
    """A file of a stream's format, plain or packed."""

    file: Path
    limits: LoadLimits
    form: StreamFormat

    def declared(self) -> DeclaredSchema:
        """Opens the file for its schema alone: a load that is never iterated leaves nothing open."""
        with open_input(self.file, self.limits.unpacked_bytes, self.form.suffix) as data:
            return self.form.declared(data)

    def rows(self, declared: DeclaredSchema) -> Iterator[RawRows]:
        """Opens the file again, for its rows."""
        with open_input(self.file, self.limits.unpacked_bytes, self.form.suffix) as data:
            yield from self.form.rows(data, declared)
