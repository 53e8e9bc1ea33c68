"""The queries that are made from a data source's own entities: one function for each form of the Query API."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from urllib.parse import quote

from proxy.comparison.service_document import Schema
from proxy.comparison.trees import Members, Number

MAX_LITERAL = 100  # characters of a value that is filtered on
NEAR_KM = ("0.5", "10", "200", "1000")
HALF_BOX = (0.05, 1.0, 10.0)  # degrees
EDGES = (90.0, 180.0)  # of latitude and longitude
PLACE = frozenset(("Latitude", "Longitude"))
NUMBERS = frozenset(("Edm.Int64", "Edm.Double"))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DISTANCE = "*,__Distance"

_DATE = re.compile(r"/Date\((-?[0-9]{1,15})\)/")


@dataclass(frozen=True, slots=True)
class Query:
    """A query: its name without values, what follows the entity type in the path, and its parameters."""

    title: str
    parameters: tuple[tuple[str, str], ...] = ()
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Draw:
    """Entities of a data source to make queries of, and a seeded choice, so that each run asks the same."""

    schema: Schema
    entities: Sequence[Members]
    total: int
    random: Random

    def entity(self) -> Members:
        """One of the entities."""
        return self.random.choice(self.entities)

    def id(self) -> str:
        """The id of one, as a literal."""
        return _quoted(str(self.entity().get(self.schema.key) or ""))

    def place(self) -> tuple[float, float] | None:
        """The coordinates of one."""
        found = self.entity()
        texts = [value.text for name in ("Latitude", "Longitude") if isinstance(value := found.get(name), Number)]
        return (float(texts[0]), float(texts[1])) if len(texts) == len(PLACE) else None

    def named(self, *types: str) -> str:
        """A property of one of these types that can be filtered on; empty where there is none."""
        names = [
            name
            for name, type_ in self.schema.properties
            if type_ in types and name not in PLACE and re.fullmatch(r"\w+", name)
        ]
        return self.random.choice(names) if names else ""

    def value(self, name: str) -> str:
        """A value of a property that occurs, as a literal; empty where the drawn entity has none."""
        value = self.entity().get(name)
        if isinstance(value, Number):
            return value.text
        if isinstance(value, bool):
            return str(value).lower()
        if not isinstance(value, str) or not 0 < len(value) <= MAX_LITERAL:
            return ""
        date = _DATE.fullmatch(value)
        if date and self.schema.type_of(name) == "Edm.DateTime":
            try:
                moment = EPOCH + timedelta(milliseconds=int(date[1]))
            except OverflowError:
                return ""
            return f"datetime'{moment:%Y-%m-%dT%H:%M:%S}'"
        return _quoted(value)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _one(draw: Draw) -> Query:
    return Query("one entity by its id", (), f"({quote(draw.id(), safe=chr(39))})")


def _several(draw: Draw) -> Query:
    ids = ",".join(sorted({draw.id() for _ in range(5)}))
    return Query("several ids", (("$filter", f"entityId in ({ids})"),))


def _nearby(draw: Draw) -> Query | None:
    place, km = draw.place(), draw.random.choice(NEAR_KM)
    if place is None:
        return None
    area = f"nearby({place[0]:.6f},{place[1]:.6f},{km})"
    return Query(f"nearby, {km} km", (("spatialFilter", area), ("$select", DISTANCE), ("$top", "100")))


def _box(draw: Draw) -> tuple[float, ...] | None:
    place, half = draw.place(), draw.random.choice(HALF_BOX)
    if place is None:
        return None
    south, west = (max(-edge, at - half) for at, edge in zip(place, EDGES, strict=True))
    north, east = (min(edge, at + half) for at, edge in zip(place, EDGES, strict=True))
    return south, west, north, east


def _in_box(draw: Draw) -> Query | None:
    box = _box(draw)
    if box is None:
        return None
    area = f"bbox({','.join(f'{edge:.6f}' for edge in box)})"
    return Query("bounding box", (("spatialFilter", area), ("$top", "250"), ("$inlinecount", "allpages")))


def _compared(draw: Draw, operator: str, *types: str) -> Query | None:
    name = draw.named(*types)
    value = draw.value(name)
    return (
        Query(f"{name} {operator} ...", (("$filter", f"{name} {operator} {value}"), ("$top", "50"))) if value else None
    )


def _equal(draw: Draw) -> Query | None:
    return _compared(draw, "eq", "Edm.String", "Edm.Int64", "Edm.Boolean")


def _greater(draw: Draw) -> Query | None:
    return _compared(draw, draw.random.choice(("gt", "le")), *NUMBERS, "Edm.DateTime")


def _starts_with(draw: Draw) -> Query | None:
    name = draw.named("Edm.String")
    value = draw.value(name)[1:-1][:2]
    if not value or "'" in value or "/" in value:
        return None
    return Query(f"{name} starts with ...", (("$filter", f"StartsWith({name},'{value}')"), ("$top", "50")))


def _both(draw: Draw) -> Query | None:
    first, second = _equal(draw), _greater(draw)
    if first is None or second is None:
        return None
    (left, right) = (query.parameters[0][1] for query in (first, second))
    word = draw.random.choice(("and", "or"))
    return Query(f"{first.title} {word} {second.title}", (("$filter", f"({left}) {word} ({right})"), ("$top", "50")))


def _ordered(draw: Draw) -> Query | None:
    name, query = draw.named("Edm.String", *NUMBERS), _in_box(draw)
    if not name or query is None:
        return None
    return Query(f"bounding box by {name}", (query.parameters[0], ("$orderby", name), ("$top", "100")))


def _page(draw: Draw) -> Query:
    skip, top = draw.random.randrange(max(1, draw.total)), draw.random.choice((1, 25, 40))
    return Query("a page in the middle", (("$top", str(top)), ("$skip", str(skip))))


def _last(draw: Draw) -> Query:
    return Query("the last page", (("$top", "30"), ("$skip", str(max(0, draw.total - 10)))))


def _counted(draw: Draw) -> Query | None:
    query = _greater(draw) or _equal(draw)
    if query is None:
        return Query("how many there are", (("$inlinecount", "allpages"), ("$top", "1")))
    return Query(f"how many {query.title}", (query.parameters[0], ("$inlinecount", "allpages"), ("$top", "1")))


def _selected(draw: Draw) -> Query:
    names = [name for name, _ in draw.schema.properties if re.fullmatch(r"\w+", name)]
    chosen = draw.random.sample(names, min(3, len(names)))
    return Query("selected properties", (("$select", ",".join(chosen)), ("$top", "25")))


def _near_and_filter(draw: Draw) -> Query | None:
    near, query = _nearby(draw), _equal(draw)
    if near is None or query is None:
        return None
    return Query(f"{near.title}, {query.title}", (*near.parameters, query.parameters[0]))


def _shape(draw: Draw) -> Query | None:
    box = _box(draw) if draw.named("Edm.Geography") else None
    if box is None:
        return None
    south, west, north, east = (f"{edge:.5f}" for edge in box)
    corners = ((west, south), (east, south), (east, north), (west, north), (west, south))
    shape = ", ".join(f"{longitude} {latitude}" for longitude, latitude in corners)
    return Query("shapes in an area", (("spatialFilter", f"intersects('POLYGON (({shape}))')"), ("$top", "50")))


def _staged(_: Draw) -> Query:
    return Query("the staged version", (("isStaging", "1"), ("$top", "25"), ("$inlinecount", "allpages")))


# In this order, again and again, until there are enough.
FORMS: tuple[Callable[[Draw], Query | None], ...] = (
    _one, _several, _nearby, _in_box, _equal, _greater, _ordered, _page, _counted, _both,
    _starts_with, _selected, _near_and_filter, _last, _shape, _staged,
)  # fmt: skip


def draw_queries(draw: Draw, wanted: int) -> list[tuple[Query, bool]]:
    """So many different queries, and whether each is for JSON; fewer where the entities give no more."""
    found: dict[tuple[tuple[tuple[str, str], ...], str, bool], Query] = {}
    for at in range(wanted * 4 if draw.entities else 0):
        if len(found) == wanted:
            break
        # The parity changes with each round, so that each form is asked in both formats.
        is_json = (at + at // len(FORMS)) % 2 == 0
        query = FORMS[at % len(FORMS)](draw)
        if query is not None:
            found.setdefault((query.parameters, query.suffix, is_json), query)
    return [(query, is_json) for (_, _, is_json), query in found.items()]
