"""A load: an untrusted file becomes batches of entities that keep all rules (write-contract.md).

Memory is bounded: a batch is some thousand rows or some megabytes, whichever is less. Only ids stay in memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import IO, Protocol

import numpy as np

from proxy.formats.batches import Batch, RawRows, RowError
from proxy.formats.decompression import open_input
from proxy.formats.delimited.reader import Delimited
from proxy.formats.entity_validation import EntityValidator
from proxy.formats.input_diagnosis import find_likely_cause
from proxy.formats.kml.reader import Kml
from proxy.formats.limits import LoadLimits
from proxy.formats.parser_errors import translate_errors
from proxy.formats.schema import EntityType, InvalidDataError
from proxy.formats.schema_validation import DeclaredSchema, build_entity_type
from proxy.formats.shapefile.reader import ShapefileSet
from proxy.formats.xml.reader import DataSetXml

__all__ = ["Batch", "InputFormat", "Loader", "RowError"]

_UNEXPECTED = "the data can't be read: it is not as its format has it"


class InputFormat(StrEnum):
    """The values of `input`."""

    XML = "xml"
    CSV = "csv"
    TAB = "tab"
    PIPE = "pipe"
    KML = "kml"
    SHP = "shp"


class _StreamFormat(Protocol):
    """A format of a single file. Each method reads it from its start, and raises InvalidDataError."""

    @property
    def suffix(self) -> str | None:
        """The end of the file's name in a ZIP file that holds others too."""
        ...

    def read_schema(self, data: IO[bytes]) -> DeclaredSchema: ...

    def read_rows(self, data: IO[bytes], declared: DeclaredSchema) -> Iterator[RawRows]: ...


@dataclass(frozen=True, slots=True)
class _StreamFile:
    """A file of a stream format, plain or compressed. It is open only during a read."""

    file: Path
    max_bytes: int
    format: _StreamFormat

    def read_schema(self) -> DeclaredSchema:
        with open_input(self.file, self.max_bytes, self.format.suffix) as data:
            return self.format.read_schema(data)

    def read_rows(self, declared: DeclaredSchema) -> Iterator[RawRows]:
        with open_input(self.file, self.max_bytes, self.format.suffix) as data:
            yield from self.format.read_rows(data, declared)


def _open_source(file: Path, form: InputFormat, limits: LoadLimits) -> _StreamFile | ShapefileSet:
    streams: dict[InputFormat, _StreamFormat] = {
        InputFormat.XML: DataSetXml(),
        InputFormat.CSV: Delimited(","),
        InputFormat.TAB: Delimited("\t"),
        InputFormat.PIPE: Delimited("|"),
        InputFormat.KML: Kml(limits),
    }
    if form is InputFormat.SHP:
        return ShapefileSet(file, limits)
    return _StreamFile(file, limits.unpacked_bytes, streams[form])


class Loader:
    """One load. The constructor reads its schema; its entities come by iterating, which may be done again.

    Raises:
        InvalidDataError: the file can't be used, found by the constructor or while iterating.
    """

    entity_type: EntityType

    def __init__(self, file: Path, form: InputFormat, limits: LoadLimits, *, incremental: bool) -> None:
        self._limits, self._incremental = limits, incremental
        self._source = _open_source(file, form, limits)
        try:
            with translate_errors(_UNEXPECTED, expected=False):
                self._declared = self._source.read_schema()
        except InvalidDataError as error:
            cause = find_likely_cause(file, form, limits.unpacked_bytes)
            raise InvalidDataError(f"{error}; {cause}" if cause else str(error)) from error
        self.entity_type = build_entity_type(self._declared, incremental=incremental)

    def __iter__(self) -> Iterator[Batch]:
        """The batches, in the file's order."""
        with translate_errors(_UNEXPECTED, expected=False):
            yield from self._batches()

    def _batches(self) -> Iterator[Batch]:
        validator = EntityValidator(self._declared, self.entity_type)
        total = usable = 0
        first: RowError | None = None
        for rows in self._source.read_rows(self._declared):
            total += len(rows) + len(rows.failures)
            if total > self._limits.entities:
                raise InvalidDataError(f"there are more than {self._limits.entities:,} entities")
            notes = tuple(note for note in rows.notes if self._incremental or not note.order_dependent)
            with np.errstate(all="ignore"):  # a number near the largest double may become infinite, and then fails
                batch = replace(validator.validate(rows), notes=notes)
            usable += batch.entities.num_rows + len(batch.deleted)
            first = first or next((line for line in batch.log if isinstance(line, RowError)), None)
            yield batch
        if not usable:
            why = f"; the first of {total:,}, {first.location}: {first.reason}" if first else ": it holds no entities"
            raise InvalidDataError(f"nothing in the data is usable{why}")
