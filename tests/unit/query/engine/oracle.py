"""What query-api.md says, entity by entity in plain Python: slow, and written without a look at the engine."""

import math
from collections.abc import Callable
from typing import Any

import shapely

from proxy.query.areas import BoundingBox, Intersects, Nearby
from proxy.query.conditions import (
    And,
    ColumnComparison,
    Comparison,
    Condition,
    Constant,
    Membership,
    Missing,
    Not,
    Operator,
    Or,
    TextFunction,
    TextMatch,
)
from proxy.query.query import Distance, OrderKey, Query
from proxy.query.schema import Property, PropertyType
from tests.unit.query.engine.versions import Row

COMPARE: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQ: lambda left, right: left == right,
    Operator.NE: lambda left, right: left != right,
    Operator.GT: lambda left, right: left > right,
    Operator.GE: lambda left, right: left >= right,
    Operator.LT: lambda left, right: left < right,
    Operator.LE: lambda left, right: left <= right,
}


def lower(text: str) -> str:
    """By simple mappings of code points: that of the dotted capital I is one letter, and there is no final sigma."""
    return "".join("i" if letter == "\u0130" else letter.lower() for letter in text)


def haversine(latitude: float, longitude: float, row: Row) -> float:
    """Kilometres, in steps of 1e-9 (2.4)."""
    phi, other = math.radians(latitude), math.radians(row["latitude"])
    a = math.sin((other - phi) / 2) ** 2
    a += math.cos(phi) * math.cos(other) * math.sin((math.radians(row["Longitude"]) - math.radians(longitude)) / 2) ** 2
    return round(2 * 6378.135 * math.asin(math.sqrt(min(1.0, a))), 9)


def holds(condition: Condition | None, row: Row) -> bool:  # noqa: C901, PLR0911  one line for each kind
    """Whether a condition holds for an entity (1.5)."""
    match condition:
        case None:
            return True
        case Constant(value):
            return value
        case Missing(column):
            return row.get(column.name) is None
        case Not(operand):
            return not holds(operand, row)
        case And(operands):
            return all(holds(operand, row) for operand in operands)
        case Or(operands):
            return any(holds(operand, row) for operand in operands)
        case Membership(column, values):
            return any(_compare(_value(row, column), Operator.EQ, _literal(value)) for value in values)
        case TextMatch(column, function, text):
            value = _value(row, column)
            starts = function is TextFunction.STARTS_WITH
            return bool(value.startswith(lower(text)) if starts else value.endswith(lower(text)))
        case Comparison(column, operator, value):
            return _compare(_value(row, column), operator, _literal(value))
        case ColumnComparison(left, operator, right):
            return _compare(_value(row, left), operator, _value(row, right))


def _compare(left: Any, operator: Operator, right: Any) -> bool:
    if left is None or right is None:
        return operator is (Operator.EQ if left is right else Operator.NE)
    return COMPARE[operator](left, right)


def _literal(value: Any) -> Any:
    return lower(value) if isinstance(value, str) else value


def _value(row: Row, column: Property) -> Any:
    value = row.get(column.name)
    return lower(value or "") if column.type is PropertyType.STRING else value


def find(rows: list[Row], query: Query) -> list[Row]:
    """All entities of a query, in its order, before skip and top."""
    found = [row for row in rows if _is_in(query, row) and holds(query.condition, row)]
    found.sort(key=lambda row: row["Id"].encode())
    if isinstance(query.area, Nearby):
        found.sort(key=lambda row: distance(query, row))
    for key in reversed(query.order):
        found.sort(key=lambda row, key=key: _order(query, key, row), reverse=key.is_descending)  # type: ignore[misc]  # a bound default
    return found


def distance(query: Query, row: Row) -> float:
    """`__Distance` of an entity (2.4)."""
    area = query.area
    assert isinstance(area, Nearby | BoundingBox)
    if isinstance(area, Nearby):
        return haversine(area.center.latitude, area.center.longitude, row)
    longitude = (area.west + area.east) / 2
    if area.west > area.east:
        longitude = area.west + (area.east - area.west + 360) / 2
        longitude -= 360 if longitude >= 180 else 0
    return haversine((area.south + area.north) / 2, longitude, row)


def _order(query: Query, key: OrderKey, row: Row) -> tuple[int, Any]:
    if isinstance(key.by, Distance):
        return 1, distance(query, row)
    value = _value(row, key.by)
    if value is None:
        return 0, 0
    if isinstance(value, float) and math.isnan(value):
        return 2, 0
    if key.by.type is PropertyType.BOOLEAN:
        return 1, not value
    return 1, value.encode() if isinstance(value, str) else value


def _is_in(query: Query, row: Row) -> bool:
    latitude, longitude = row["latitude"], row["Longitude"]
    match query.area:
        case Nearby(_, kilometres):
            return distance(query, row) <= kilometres
        case BoundingBox(south, west, north, east):
            between = west <= longitude <= east if west <= east else longitude >= west or longitude <= east
            return bool(south <= latitude <= north and between)
        case Intersects(shape):
            return bool(shapely.intersects(shape, geography(row)))
        case _:
            return True


def geography(row: Row) -> Any:
    """The valid geography of an entity, its point where it has none."""
    stored = row.get("Shape")
    if stored is None:
        return shapely.Point(row["Longitude"], row["latitude"])
    return shapely.make_valid(shapely.from_wkb(stored))
