"""Entities as texts: the rows of a table, one entity, and CSV of any number of them."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from proxy.operations.entity_queries import OpenedVersion, bind_query
from proxy.query.cell_texts import (
    CellKind,
    describe_member,
    format_clock,
    format_coordinate,
    format_distance,
    format_double,
    format_shapes,
)
from proxy.query.engine import Check, run_in_parts, run_query
from proxy.query.query import Query
from proxy.query.result import Cell, Result, ResultColumn
from proxy.query.version_file import VersionFile

FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r")
"""What spreadsheets take for the begin of a formula."""

PART_BYTES = 4 * 1024 * 1024
PART_ROWS = 1_000

Row = Sequence[str | None]


@dataclass(frozen=True, slots=True)
class EntityTable:
    """A page of entities as texts.

    Args:
        columns: the names of the members.
        ids: the key of each entity.
        rows: the values of each; None where one is missing.
        count: how many the query finds; None where it does not ask.
    """

    columns: tuple[str, ...]
    ids: tuple[str, ...]
    rows: tuple[Row, ...]
    count: int | None = None


def find_page(
    opened: OpenedVersion, parameters: Mapping[str, str], check: Check
) -> Callable[[VersionFile], EntityTable]:
    """Work that finds a page of entities; see `EntityQueries.use`."""

    def find(file: VersionFile) -> EntityTable:
        return _to_table(run_query(file, bind_query(opened, parameters), check))

    return find


def find_entity(opened: OpenedVersion, id_: str) -> Callable[[VersionFile], EntityTable]:
    """Work that finds one entity with all its properties; a table of at most one row."""

    def find(file: VersionFile) -> EntityTable:
        return _to_table(run_query(file, replace(bind_query(opened, {}), entity_id=id_), lambda: None))

    return find


def stream_csv(file: VersionFile, query: Query, check: Check) -> Iterator[bytes]:
    """All entities that a query finds as CSV in UTF-8, some at a time.

    A String that a spreadsheet would take for a formula has an apostrophe before it, which spreadsheets understand as
    the mark of a text. Numbers and all else are as they are.

    Raises:
        DamagedVersionError, QueryError: as `run_query`.
    """
    described = [describe_member(member) for member in query.members]
    yield _to_csv([[_guard(name) for name, _ in described]])
    per_row = max(1, file.mapped_bytes // max(1, file.rows))
    texts = [kind is CellKind.STRING for _, kind in described]
    for part in run_in_parts(file, query, check, max(1, min(PART_ROWS, PART_BYTES // per_row))):
        columns = [
            [_guard(value or "") for value in values] if is_text else [value or "" for value in values]
            for values, is_text in zip(map(_to_texts, part.columns), texts, strict=True)
        ]
        yield _to_csv(zip(*columns, strict=True))


def _guard(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA_MARKS) else text


def _to_csv(rows: Any) -> bytes:  # noqa: ANN401 - any iterable of rows, as of `csv`
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode(errors="replace")


def _to_table(result: Result) -> EntityTable:
    names = tuple(describe_member(column.member)[0] for column in result.columns)
    texts = [_to_texts(column) for column in result.columns]
    rows = tuple(zip(*texts, strict=True)) if texts else ((),) * len(result.ids)
    return EntityTable(names, tuple(result.ids), rows, result.count)


def _to_texts(column: ResultColumn) -> list[str | None]:
    return _TEXTS[describe_member(column.member)[1]](column.values)


def _each(form: Callable[[Any], str]) -> Callable[[Sequence[Cell]], list[str | None]]:
    return lambda values: [None if value is None else form(value) for value in values]


_TEXTS: Mapping[CellKind, Callable[[Sequence[Cell]], list[str | None]]] = {
    CellKind.STRING: _each(str),
    CellKind.COORDINATE: _each(format_coordinate),
    CellKind.DOUBLE: _each(format_double),
    CellKind.DISTANCE: _each(format_distance),
    CellKind.INT64: _each(str),
    CellKind.BOOLEAN: _each({True: "true", False: "false"}.__getitem__),
    CellKind.DATETIME: _each(format_clock),
    CellKind.GEOGRAPHY: format_shapes,
}
