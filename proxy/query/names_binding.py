"""Binds the names of `$select` and `$orderby` to a schema (query-api.md, 1.4)."""

from collections.abc import Iterable, Iterator

from proxy.query.areas import Area, BoundingBox, NearAddress, Nearby, NearRoute
from proxy.query.errors import QueryError, quote_value
from proxy.query.names_parser import ALL, ORDER_BY, SELECT, IntersectionItem, OrderItem, SelectItem
from proxy.query.query import DISTANCE, Distance, Intersection, Member, OrderKey
from proxy.query.schema import PropertyType, Schema


def bind_select(items: Iterable[SelectItem], schema: Schema, area: Area | None) -> tuple[Member, ...]:
    """The members of the answer, each at its first place.

    `__Distance` is absent where the area has no place to measure from: clients ask for it always.

    Raises:
        QueryError: a name is no property.
    """
    has_distance = isinstance(area, Nearby | NearAddress | BoundingBox | NearRoute)
    members = (member for item in items for member in _bind_item(item, schema))
    return tuple(dict.fromkeys(each for each in members if has_distance or not isinstance(each, Distance)))


def _bind_item(item: SelectItem, schema: Schema) -> Iterator[Member]:
    if isinstance(item, IntersectionItem):
        yield Intersection(item.shape)
    elif item == ALL:
        yield from schema.properties
    elif item.lower() == DISTANCE.lower():
        yield Distance()
    else:
        yield schema.require(item, SELECT)


def bind_order(items: Iterable[OrderItem], schema: Schema, area: Area | None) -> tuple[OrderKey, ...]:
    """The criteria of the order.

    Raises:
        QueryError: a name is no property, or can't be sorted by.
    """
    return tuple(_bind_order_item(item, schema, area) for item in items)


def _bind_order_item(item: OrderItem, schema: Schema, area: Area | None) -> OrderKey:
    if item.name.lower() == DISTANCE.lower():
        if not isinstance(area, Nearby | NearAddress | BoundingBox):
            raise QueryError(f"The parameter {ORDER_BY} has {DISTANCE}, which needs the area nearby or bbox.")
        return OrderKey(Distance(), item.is_descending)
    found = schema.require(item.name, ORDER_BY)
    if found.is_coordinate or found.type is PropertyType.GEOGRAPHY:
        raise QueryError(
            f"The parameter {ORDER_BY} has {quote_value(item.name)}. Allowed are properties other than Latitude,"
            " Longitude and geographies."
        )
    return OrderKey(found, item.is_descending)
