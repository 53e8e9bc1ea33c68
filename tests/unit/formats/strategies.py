"""Entity types and entities of every kind that the rules allow."""

from typing import Any

import pyarrow as pa
import shapely
from hypothesis import strategies as st

from adapters.model.ticks import FIRST, LAST
from proxy.formats.schema import EdmType, EntityType, Property

NAMES = st.from_regex(r"(?!__)[A-Za-z_][A-Za-z0-9_]{0,12}", fullmatch=True).filter(
    lambda name: name.lower() not in {"latitude", "longitude", "entityid"}
)
# What XML 1.0 can carry, with what has a meaning in XML or in text formats often.
CHARACTERS = st.one_of(
    st.sampled_from("&<>\"'|,\t\n\r ;]\u00e9\u2028\ufffd\U0001f600"),
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"),
)
TEXTS = st.text(CHARACTERS, max_size=20) | st.just("x" * 2560)
IDS = st.text(CHARACTERS, min_size=1, max_size=50).map(str.strip).filter(bool)  # the readers trim ids

_DEGREES = st.floats(-80, 80).map(lambda number: number + 0.0)
_PAIRS = st.tuples(_DEGREES, _DEGREES)
_RINGS = st.lists(_PAIRS, min_size=3, max_size=6, unique=True).map(lambda points: [*points, points[0]])
_LINES = st.lists(_PAIRS, min_size=2, max_size=5, unique=True)
_PARTS = st.one_of(
    _PAIRS.map(shapely.Point),
    st.tuples(_DEGREES, _DEGREES, st.floats(allow_nan=False, allow_infinity=False).map(lambda z: z + 0.0)).map(
        shapely.Point
    ),
    _LINES.map(shapely.LineString),
    _RINGS.map(shapely.Polygon),
    st.lists(_RINGS, min_size=2, max_size=3).map(lambda rings: shapely.Polygon(rings[0], rings[1:])),
    st.lists(_PAIRS, min_size=1, max_size=4).map(shapely.MultiPoint),
    st.lists(_LINES, min_size=1, max_size=3).map(shapely.MultiLineString),
    st.lists(_RINGS.map(shapely.Polygon), min_size=1, max_size=3).map(shapely.MultiPolygon),
)
# A collection's parts are all flat: a mixed one has no height for some of its points.
SHAPES = _PARTS | st.lists(_PARTS.filter(lambda shape: not shape.has_z), min_size=1, max_size=3).map(
    shapely.GeometryCollection
)
WKB = SHAPES.map(lambda shape: shapely.to_wkb(shape, flavor="iso", byte_order=1))

VALUES: dict[EdmType, st.SearchStrategy[Any]] = {
    EdmType.STRING: TEXTS,
    EdmType.INT64: st.integers(-(2**63), 2**63 - 1) | st.sampled_from([-(2**63), 2**63 - 1, 0]),
    EdmType.BOOLEAN: st.booleans(),
    EdmType.DOUBLE: st.floats() | st.sampled_from([-0.0, 5e-324, 1.7976931348623157e308, 0.1]),
    EdmType.DATETIME: st.integers(FIRST, LAST) | st.sampled_from([FIRST, LAST]),
    EdmType.GEOGRAPHY: WKB,
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[EntityType, pa.Table]:
    """An entity type with a geography or a location, and entities of it."""
    plain = [type_ for type_ in EdmType if type_ is not EdmType.GEOGRAPHY]
    names = draw(st.lists(NAMES, max_size=8, unique_by=str.lower))
    properties = [Property(name, draw(st.sampled_from(plain))) for name in names]
    properties.append(Property("EntityID", EdmType.STRING))
    if draw(st.booleans()) and names:
        properties[0] = Property(names[0], EdmType.GEOGRAPHY)
    properties = list(draw(st.permutations(properties)))
    properties += [Property("Latitude", EdmType.DOUBLE), Property("Longitude", EdmType.DOUBLE)]
    ids = draw(st.lists(IDS, min_size=1, max_size=5, unique=True))
    columns: dict[str, list[Any]] = {
        property_.name: [draw(st.none() | VALUES[property_.type]) for _ in ids] for property_ in properties
    }
    columns["EntityID"] = ids
    columns["Latitude"] = [draw(st.floats(-90, 90)) for _ in ids]
    columns["Longitude"] = [draw(st.floats(-180, 180)) for _ in ids]
    entity_type = EntityType(draw(NAMES), tuple(properties), "EntityID")
    return entity_type, pa.table(columns, entity_type.arrow())
