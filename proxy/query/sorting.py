"""The order of found entities, of which only a page is wanted (query-api.md, section 2.6)."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from proxy.query.columns import EMPTY, Rows, take, text_column
from proxy.query.distance import Numbers
from proxy.query.schema import Property, PropertyType
from proxy.query.version_file import VersionFile

Criterion = tuple[pa.Array, bool]
"""A column without nulls, and whether it descends."""
Positions = npt.NDArray[np.intp]
"""Places in an array of rows."""

_FEW = 2_000
"""Up to so many, Arrow's selection of the first is quicker than its sorting of all."""
_MISSING, _NUMBER, _NO_NUMBER = 0, 1, 2
"""The order of what is in a column of numbers: NaN is after all of them, so that the order is total."""
_TRUE, _FALSE = 1, 2


def find_page(rows: Rows, ranks: tuple[Numbers, ...], skip: int, top: int) -> Positions:
    """The places of a page in the default order.

    Args:
        rows: the found entities; in ascending order where there are no ranks.
        ranks: the numbers by which the default order goes before the id.
        skip: how many to leave out first.
        top: the most that a page has.
    """
    end = min(len(rows), skip + top)
    if skip >= end or not ranks:
        return np.arange(min(skip, end), end)
    # Only the first of the page's end are sorted, with all that tie at the cut.
    last = np.partition(ranks[0], end - 1)[end - 1]
    first = np.flatnonzero(ranks[0] <= last)
    keys: list[npt.NDArray[Any]] = [rows[first], *(rank[first] for rank in reversed(ranks))]
    order = np.lexsort(keys)
    return first[order[skip:end]]


def find_sorted_page(
    criteria: Iterable[Criterion], rows: Rows, ranks: tuple[Numbers, ...], skip: int, top: int
) -> Positions:
    """The same in an order that the query asks for, which goes before the default order."""
    keys = [*criteria, *((pa.array(rank), False) for rank in (*ranks, rows))]
    table = pa.table([values for values, _ in keys], [str(place) for place in range(len(keys))])
    sort = [(str(place), "descending" if turned else "ascending") for place, (_, turned) in enumerate(keys)]
    end = min(len(rows), skip + top)
    if skip >= end:
        return np.arange(0)
    found = pc.select_k_unstable(table, end, sort) if end <= _FEW else pc.sort_indices(table, sort)
    places: Positions = found.to_numpy()[skip:end].astype(np.intp)
    return places


def read_keys(version: VersionFile, rows: Rows, by: Property) -> list[pa.Array]:
    """Columns without nulls that order as a property does: missing values first, true before false."""
    if by.type is PropertyType.STRING:
        return [take(text_column(version, by.name), rows).fill_null(EMPTY)]
    column = take(version.column(by.name), rows)
    missing = column.is_null().to_numpy(zero_copy_only=False)
    if by.type is PropertyType.BOOLEAN:
        return [pa.array(np.select([missing, _mask(column)], [_MISSING, _TRUE], _FALSE).astype(np.int8))]
    is_number = _mask(pc.equal(column, column))
    if is_number.all():
        return [column]
    # NaN is not equal to itself.
    kinds = np.select([missing, is_number], [_MISSING, _NUMBER], _NO_NUMBER).astype(np.int8)
    return [pa.array(kinds), pc.if_else(pa.array(kinds == _NUMBER), column, pa.scalar(0, column.type))]


def _mask(found: pa.Array) -> npt.NDArray[np.bool_]:
    mask: npt.NDArray[np.bool_] = found.fill_null(pa.scalar(value=False)).to_numpy(zero_copy_only=False)
    return mask
