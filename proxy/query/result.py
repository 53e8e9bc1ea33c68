"""What the engine found: the page's entities, column by column."""

from collections.abc import Sequence
from dataclasses import dataclass

from proxy.query.query import Member

Cell = str | int | float | bool | bytes | None
"""A value: str, int (Int64; DateTime as 100 ns ticks since year 1), float (Double; Distance), bool; a Geography and an
Intersection as ISO WKB; None where it is missing."""


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """One member of every entity of the page: `values` is as long as the page, as `to_pylist()` of Arrow gives them."""

    member: Member
    values: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Result:
    """A page of entities in their order.

    Args:
        ids: the key of each.
        columns: one for each member of the query, in that order.
        count: how many the query finds beside `top` and `skip`; None where it does not ask.
    """

    ids: Sequence[str]
    columns: tuple[ResultColumn, ...]
    count: int | None = None
