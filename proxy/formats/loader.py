"""A load: a file that a stranger sent becomes batches of entities that keep all rules (write-side contract).

Memory is bounded: a batch is some thousand rows or some megabytes, whichever is less; only ids are remembered.
"""

from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

import numpy as np

from proxy.formats.batches import Batch, RowError
from proxy.formats.delimited.reader import Delimited
from proxy.formats.entity_validation import EntityValidator
from proxy.formats.input_diagnosis import likely_cause
from proxy.formats.kml.reader import Kml
from proxy.formats.limits import LoadLimits
from proxy.formats.parser_errors import unusable
from proxy.formats.schema import EntityType, InvalidDataError
from proxy.formats.schema_validation import entity_type
from proxy.formats.shapefile.reader import ShapefileSet
from proxy.formats.sources import FileSource, Source, StreamFormat
from proxy.formats.xml.reader import DataSetXml

__all__ = ["Batch", "InputFormat", "Loader", "RowError"]


class InputFormat(StrEnum):
    """The values of `input`."""

    XML = "xml"
    CSV = "csv"
    TAB = "tab"
    PIPE = "pipe"
    KML = "kml"
    SHP = "shp"


_STREAMS: dict[InputFormat, StreamFormat] = {
    InputFormat.XML: DataSetXml(),
    InputFormat.CSV: Delimited(","),
    InputFormat.TAB: Delimited("\t"),
    InputFormat.PIPE: Delimited("|"),
}

_UNFORESEEN = "the data can't be read: it is not as its format has it"


class Loader:
    """One load. Its schema is known when it is made; its entities come by iterating, which may be done again.

    Raises:
        UnusableError: the file can't be used, found out here or while iterating.
    """

    entity_type: EntityType

    def __init__(self, file: Path, form: InputFormat, limits: LoadLimits, *, incremental: bool) -> None:
        self._limits, self._incremental = limits, incremental
        stream = Kml(limits) if form is InputFormat.KML else _STREAMS.get(form)
        self._source: Source = FileSource(file, limits, stream) if stream else ShapefileSet(file, limits)
        try:
            with unusable(_UNFORESEEN, foreseen=False):
                self._declared = self._source.declared()
        except InvalidDataError as error:
            cause = likely_cause(file, form, limits.unpacked_bytes)
            raise InvalidDataError(f"{error}; {cause}" if cause else str(error)) from error
        self.entity_type = entity_type(self._declared, incremental=incremental)

    def __iter__(self) -> Iterator[Batch]:
        """The batches, in the file's order."""
        with unusable(_UNFORESEEN, foreseen=False):
            yield from self._batches()

    def _batches(self) -> Iterator[Batch]:
        rules = EntityValidator(self._declared, self.entity_type)
        total = usable = 0
        first: RowError | None = None
        for rows in self._source.rows(self._declared):
            total += len(rows) + len(rows.failures)
            if total > self._limits.entities:
                raise InvalidDataError(f"there are more than {self._limits.entities:,} entities")
            notes = tuple(note for note in rows.notes if self._incremental or not note.of_order)
            with np.errstate(all="ignore"):  # numbers near the largest double; what becomes infinite fails by the rules
                batch = replace(rules.apply(rows), notes=notes)
            usable += batch.entities.num_rows + len(batch.deleted)
            first = first or next((line for line in batch.log if isinstance(line, RowError)), None)
            yield batch
        if not usable:
            why = f"; the first of {total:,}, {first.place}: {first.reason}" if first else ": it holds no entities"
            raise InvalidDataError(f"nothing in the data is usable{why}")
