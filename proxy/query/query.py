"""A query that is bound to a schema: all that the engine needs to know beside the entities."""

from dataclasses import dataclass

from proxy.query.areas import Area, Geometry
from proxy.query.conditions import Condition
from proxy.query.schema import Property

DISTANCE = "__Distance"
INTERSECTION = "__IntersectedGeom"


@dataclass(frozen=True, slots=True)
class Distance:
    """The member `__Distance`: kilometres from the centre of Nearby or BoundingBox, which the query then has."""


@dataclass(frozen=True, slots=True)
class Intersection:
    """The member `__IntersectedGeom`: the common part of a shape and the entity's geography, else its point."""

    shape: Geometry


Member = Property | Distance | Intersection
"""What an answer shows of an entity."""


@dataclass(frozen=True, slots=True)
class OrderKey:
    """One criterion of `$orderby`.

    Missing values first, texts by their lower-cased code points, true before false; `is_descending` turns all of it.
    """

    by: Property | Distance
    is_descending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One query.

    Args:
        entity_id: asks for one entity, and all but `members` is then at its default; None asks for a list.
        area: where the entities are; None is everywhere.
        condition: what holds for them; None is all.
        members: what to show, each once, in the order of the answer; empty only where the request names an
            absent `__Distance` alone.
        order: at most three criteria before the default order of 2.6.
        top: how many entities at most, 1 to 250.
        skip: how many to leave out before them, 0 to 2^63 - 1.
        is_counted: whether the answer has the count of all.
    """

    members: tuple[Member, ...]
    entity_id: str | None = None
    area: Area | None = None
    condition: Condition | None = None
    order: tuple[OrderKey, ...] = ()
    top: int = 25
    skip: int = 0
    is_counted: bool = False
