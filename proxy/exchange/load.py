"""A load: a file that a stranger sent becomes batches of entities that keep all rules (write-side contract).

Memory is bounded: a batch is some thousand rows or some megabytes, whichever is less; only ids are remembered.
"""

from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

import numpy as np

from proxy.exchange.batch import Batch, Failure
from proxy.exchange.delimited import Delimited
from proxy.exchange.input_diagnosis import likely_cause
from proxy.exchange.kml import Kml
from proxy.exchange.limits import Limits
from proxy.exchange.parser_faults import unusable
from proxy.exchange.rules import Rules
from proxy.exchange.schema import EntityType, UnusableError
from proxy.exchange.schema_rules import entity_type
from proxy.exchange.shapefile_set import ShapefileSet
from proxy.exchange.source import FileSource, Source, StreamFormat
from proxy.exchange.xml_entities import DataSetXml

__all__ = ["Batch", "Failure", "InputForm", "Load"]


class InputForm(StrEnum):
    """The values of `input`."""

    XML = "xml"
    CSV = "csv"
    TAB = "tab"
    PIPE = "pipe"
    KML = "kml"
    SHP = "shp"


_STREAMS: dict[InputForm, StreamFormat] = {
    InputForm.XML: DataSetXml(),
    InputForm.CSV: Delimited(","),
    InputForm.TAB: Delimited("\t"),
    InputForm.PIPE: Delimited("|"),
}

_UNFORESEEN = "the data can't be read: it is not as its format has it"


class Load:
    """One load. Its schema is known when it is made; its entities come by iterating, which may be done again.

    Raises:
        UnusableError: the file can't be used, found out here or while iterating.
    """

    entity_type: EntityType

    def __init__(self, file: Path, form: InputForm, limits: Limits, *, incremental: bool) -> None:
        self._limits, self._incremental = limits, incremental
        stream = Kml(limits) if form is InputForm.KML else _STREAMS.get(form)
        self._source: Source = FileSource(file, limits, stream) if stream else ShapefileSet(file, limits)
        try:
            with unusable(_UNFORESEEN, foreseen=False):
                self._declared = self._source.declared()
        except UnusableError as error:
            cause = likely_cause(file, form, limits.unpacked_bytes)
            raise UnusableError(f"{error}; {cause}" if cause else str(error)) from error
        self.entity_type = entity_type(self._declared, incremental=incremental)

    def __iter__(self) -> Iterator[Batch]:
        """The batches, in the file's order."""
        with unusable(_UNFORESEEN, foreseen=False):
            yield from self._batches()

    def _batches(self) -> Iterator[Batch]:
        rules = Rules(self._declared, self.entity_type)
        total = usable = 0
        first: Failure | None = None
        for rows in self._source.rows(self._declared):
            total += len(rows) + len(rows.failures)
            if total > self._limits.entities:
                raise UnusableError(f"there are more than {self._limits.entities:,} entities")
            notes = tuple(note for note in rows.notes if self._incremental or not note.of_order)
            with np.errstate(all="ignore"):  # numbers near the largest double; what becomes infinite fails by the rules
                batch = replace(rules.apply(rows), notes=notes)
            usable += batch.entities.num_rows + len(batch.deleted)
            first = first or next((line for line in batch.log if isinstance(line, Failure)), None)
            yield batch
        if not usable:
            why = f"; the first of {total:,}, {first.place}: {first.reason}" if first else ": it holds no entities"
            raise UnusableError(f"nothing in the data is usable{why}")
