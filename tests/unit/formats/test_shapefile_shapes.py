"""Shapes of every kind, and what a broken .shp file costs: the record, never the load or the memory."""

import struct
import tracemalloc

import pytest
import shapely

from proxy.formats.schema import InvalidDataError
from tests.unit.formats.loading import Loaded, export, load
from tests.unit.formats.shapefiles import NAME, Points, dbf, packed, point, points, several, shp

RING = [(0.0, 0.0, 1.0), (0.0, 9.0, 2.0), (9.0, 9.0, 3.0), (9.0, 0.0, 4.0), (0.0, 0.0, 1.0)]
HOLE = [(1.0, 1.0, 1.0), (2.0, 1.0, 1.0), (2.0, 2.0, 1.0), (1.0, 1.0, 1.0)]
FAR = [(x + 20, y, z) for x, y, z in RING]
FAR_HOLE = [(x + 20, y, z) for x, y, z in HOLE]


def table(rows: int) -> bytes:
    return dbf([NAME], [[f"n{row}".encode()] for row in range(1, rows + 1)])


def loaded(*contents: bytes, kind: int = 1) -> Loaded:
    """These records behind a sound one."""
    sound = {1: point(1, 2), 11: point(1, 2, 3, 0, kind=11)}.get(kind, several(kind, RING))
    return load(packed(shp(sound, *contents, kind=kind), table(1 + len(contents))), "shp")


def wkt(made: Loaded) -> str:
    shape = shapely.from_wkb(made.entities[-1]["Geometry"])
    return str(shapely.to_wkt(shape, rounding_precision=-1))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (point(3, 4), "POINT (3 4)"),
        (point(3, 4, 9, kind=21), "POINT (3 4)"),
        (point(3, 4, 5, 9, kind=11), "POINT Z (3 4 5)"),
        (point(3, 4, 5, kind=11), "POINT Z (3 4 5)"),
        (point(3, 4, -1e39, kind=11), "POINT (3 4)"),
        (several(8, HOLE[:2]), "MULTIPOINT ((1 1), (2 1))"),
        (several(18, HOLE[:2]), "MULTIPOINT Z ((1 1 1), (2 1 1))"),
        (several(3, HOLE[:3]), "LINESTRING (1 1, 2 1, 2 2)"),
        (several(13, HOLE[:2]), "LINESTRING Z (1 1 1, 2 1 1)"),
        (several(23, HOLE[:2]), "LINESTRING (1 1, 2 1)"),
        (several(3, [*HOLE[:2], *FAR[:3]], (0, 2)), "MULTILINESTRING ((1 1, 2 1), (20 0, 20 9, 29 9))"),
        (several(5, RING), "POLYGON ((0 0, 0 9, 9 9, 9 0, 0 0))"),
        (several(15, RING), "POLYGON Z ((0 0 1, 0 9 2, 9 9 3, 9 0 4, 0 0 1))"),
        (several(5, RING[:-1]), "POLYGON ((0 0, 0 9, 9 9, 9 0, 0 0))"),
        (several(5, HOLE), "POLYGON ((1 1, 2 1, 2 2, 1 1))"),
        (several(5, [*RING, *HOLE], (0, 5)), "POLYGON ((0 0, 0 9, 9 9, 9 0, 0 0), (1 1, 2 1, 2 2, 1 1))"),
        (
            several(5, [*FAR_HOLE, *RING, *HOLE, *FAR], (0, 4, 9, 13)),
            "MULTIPOLYGON (((0 0, 0 9, 9 9, 9 0, 0 0), (1 1, 2 1, 2 2, 1 1)), "  # noqa: ISC004  one text
            "((20 0, 20 9, 29 9, 29 0, 20 0), (21 1, 22 1, 22 2, 21 1)))",
        ),
        (
            several(5, [*RING, *FAR_HOLE], (0, 5)),
            "MULTIPOLYGON (((0 0, 0 9, 9 9, 9 0, 0 0)), ((21 1, 22 1, 22 2, 21 1)))",
        ),
    ],
)
def test_each_kind_of_shape_is_a_geography_with_heights_and_without_measures(content: bytes, text: str) -> None:
    made = loaded(content)
    assert made.failures == []
    assert wkt(made) == text


def test_a_missing_height_comes_back_as_it_was_stored_whatever_its_bits() -> None:
    heights = [struct.unpack("<d", bits)[0] for bits in (b"\0\0\0\0\xff\xff\xff\xff", b"\1\0\0\0\0\0\xf0\x7f")]
    made = loaded(several(13, [(1.0, 1.0, heights[0]), (2.0, 2.0, heights[1]), (3.0, 3.0, 5.0)]), kind=13)
    assert wkt(made) == "LINESTRING Z (1 1 NaN, 2 2 NaN, 3 3 5)"
    assert load(export(made), "xml").table == made.table


def test_a_hole_belongs_to_the_smallest_ring_around_it() -> None:
    island = [(1.2, 1.1), (1.2, 1.9), (1.8, 1.9), (1.8, 1.1), (1.2, 1.1)]
    lake = [(1.0, 1.0), (2.0, 1.0), (2.0, 2.0), (1.0, 2.0), (1.0, 1.0)]
    pond = [(1.4, 1.4), (1.5, 1.4), (1.5, 1.5), (1.4, 1.4)]
    made = loaded(several(5, [*pond, *lake, *RING, *island], (0, 4, 9, 14)))
    outer, inner = shapely.from_wkb(made.entities[-1]["Geometry"]).geoms
    assert [list(hole.coords) for hole in outer.interiors] == [lake]
    assert [list(hole.coords) for hole in inner.interiors] == [pond]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (struct.pack("<i", 0), "Geometry is missing: the record has no shape"),
        (struct.pack("<i8x", 7), "Geometry is a shape of the unknown type 7"),
        (point(1, 2)[:12], "Geometry is in a record that is too short"),
        (point(1, 2, kind=11), "Geometry is in a record that is too short"),
        (point(float("nan"), 2), "Geometry has a coordinate that is no number"),
        (several(3, []), "Geometry has no points"),
        (several(3, RING, (0, 5)), "Geometry has an empty part: part 2 of 2"),
        (several(5, RING, (0, 0)), "Geometry has an empty part: part 1 of 2"),
        (several(5, RING, (0, 5, 5)), "Geometry has an empty part: part 2 of 3"),
        (several(3, RING, (0, 9)), "Geometry has parts that are not one behind the other"),
        (several(3, RING, (0, 3, 2)), "Geometry has parts that are not one behind the other"),
        (several(3, RING, (0, 1)), "Geometry has a line of fewer than 2 different points"),
        (several(5, [*RING[:2], RING[0]]), "Geometry has a ring of fewer than 3 different points"),
        (several(3, RING, counts=(1, 17_000_000)), "Geometry has 17,000,000 points; at most 100,000 are allowed"),
        (several(8, RING, counts=(1, 2**31 - 1)), "points; at most 100,000 are allowed"),
        (several(3, RING, counts=(99_999, 100_000)), "says 99,999 parts and 100,000 points, more than its record"),
        (several(3, RING, counts=(2**31 - 1, 5)), "parts and 5 points, more than its record"),
        (several(3, RING, counts=(-1, -1)), "Geometry has no points"),
        (several(13, RING)[:-120], "more than its record"),
    ],
)
def test_broken_shape_fails_its_record_alone(content: bytes, reason: str) -> None:
    made = loaded(content, point(5, 6))
    assert [entity["EntityID"] for entity in made.entities] == ["1", "3"]
    [failure] = made.failures
    assert (failure.location, failure.entity_id) == ("record 2", "2")
    assert reason in failure.reason


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (shp(kind=31), "holds MultiPatch shapes"),
        (shp(point(1, 2), struct.pack("<i", 31), kind=5), "holds MultiPatch shapes"),
        (shp(kind=9), "the unknown type 9"),
        (b"\0" * 200, "does not begin as one"),
    ],
)
def test_unsupported_shape_type_is_refused_by_name(data: bytes, message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        load(packed(data, table(2)), "shp")


@pytest.mark.parametrize("index", [{}, {"shx": b""}, {"shx": points(2)[:90]}, {"shx": points(3)}])
def test_the_index_is_not_needed(index: dict[str, bytes]) -> None:
    made = load(packed(points(2), table(2), **index), "shp")
    assert [entity["Longitude"] for entity in made.entities] == [1, 2]


@pytest.mark.parametrize(
    ("shapes", "places"),
    [
        (points(3)[:-10], {"record 3": "is cut off", "record 4": "fewer shapes"}),
        (points(2), {"record 3": "fewer shapes", "record 4": "fewer shapes"}),
        (points(5), {"record 5": "has a shape but no attributes"}),
        (
            shp(*[point(1, 2)] * 4, lengths=(None, None, -4)),
            {"record 3": "of an impossible length", "record 4": "fewer shapes"},
        ),
        (
            shp(*[point(1, 2)] * 4, lengths=(None, None, 2**31 - 2)),
            {"record 3": "is cut off", "record 4": "fewer shapes"},
        ),
    ],
)
def test_unpaired_shapes_and_records_are_counted(shapes: bytes, places: dict[str, str]) -> None:
    made = load(packed(shapes, table(4)), "shp")
    assert {failure.location for failure in made.failures} == {*places}
    assert all(places[failure.location] in failure.reason for failure in made.failures)
    assert len(made.entities) + len(made.failures) == max(4, 4 + (len(places) == 1))


def test_record_claiming_many_points_uses_no_memory() -> None:
    claimed = several(3, RING, counts=(1, 6_000_000)) + bytes(16 * 6_000_000)
    data = packed(shp(point(1, 2), claimed), table(2))
    del claimed
    tracemalloc.start()
    try:
        made = load(data, "shp")
        assert tracemalloc.get_traced_memory()[1] < 16_000_000
    finally:
        tracemalloc.stop()
    assert [failure.location for failure in made.failures] == ["record 2"]


def test_too_many_nested_rings_fail_their_record() -> None:
    def square(size: float, *, clockwise: bool) -> Points:
        corners = [(-size, -size), (-size, size), (size, size), (size, -size), (-size, -size)]
        return corners if clockwise else corners[::-1]

    rings = [square(1 + at / 3_000, clockwise=at % 2 == 0) for at in range(3_000)]
    content = several(5, [one for ring in rings for one in ring], range(0, 15_000, 5))
    assert "rings, too many of them in each other" in loaded(content).reasons[0]


def test_many_islands_with_lakes_are_one_geography() -> None:
    shift = [(4.0 * (at % 60), 4.0 * (at // 60)) for at in range(1_200)]
    rings = [[(x + dx, y + dy) for x, y, _ in RING] for dx, dy in shift]
    rings += [[(x + dx, y + dy) for x, y, _ in HOLE] for dx, dy in shift]
    starts = [5 * at for at in range(1_200)] + [6_000 + 4 * at for at in range(1_200)]
    made = loaded(several(5, [one for ring in rings for one in ring], starts))
    assert made.failures == []
    shape = shapely.from_wkb(made.entities[-1]["Geometry"])
    assert sum(len(part.interiors) for part in shape.geoms) == 1_200
