"""A geography's numbers come back unchanged, to the last bit."""

import pyarrow as pa
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from proxy.formats.columns import geography
from proxy.formats.columns.geography import format_geographies
from proxy.formats.columns.wkt import Shapes
from tests.unit.formats.loading import Loaded, csv_of, export, load
from tests.unit.formats.strategies import SHAPES

# GEOS alone writes 0.2239513803776418 for it.
LONG = 0.22395138037764184


@given(SHAPES)
def test_a_shape_is_written_as_text_that_reads_back_as_the_same(shape: shapely.Geometry) -> None:
    written = shapely.to_wkb(shape, flavor="iso", byte_order=1)
    text = format_geographies(pa.array([written], pa.binary()))[0].as_py()
    assert shapely.to_wkb(shapely.from_wkt(text), flavor="iso", byte_order=1) == written


@pytest.mark.parametrize("number", [LONG, 5e-324, 1.7976931348623157e308, 180.0, 1e-7, 123456789.123456789])
def test_a_number_keeps_every_bit(number: float) -> None:
    loaded = load(
        csv_of("EntityID(Edm.String,primaryKey),A(Edm.Geography)", f"1,POINT Z({LONG!r} 2 {number!r})"), "csv"
    )
    again = load(export(loaded), "xml")
    assert shapely.from_wkb(again.entities[0]["A"]).z == number
    assert again.table == loaded.table


def test_a_negative_zero_is_stored_as_zero() -> None:
    header = "EntityID(Edm.String,primaryKey),A(Edm.Geography)"
    loaded = load(csv_of(header, "1,POINT(-0.0 2)", "2,POINT Z(0 -0 -0.0)", "3,POINT(0 2)"), "csv")
    assert loaded.entities[0]["A"] == loaded.entities[2]["A"]
    assert load(export(loaded), "xml").table == loaded.table


def loaded_shapes(*texts: str) -> Loaded:
    header = "EntityID(Edm.String,primaryKey)|Spot(Edm.Geography)"
    return load(csv_of(header, "0|POINT (0 0)", *(f"{row}|{text}" for row, text in enumerate(texts, 1))), "pipe")


def written_back(text: str) -> str | None:
    """A geography as a download writes it; None where its entity fails. What is written reads back as the same."""
    loaded = loaded_shapes(text)
    again = load(export(loaded), "xml")
    assert again.failures == []
    assert again.table == loaded.table
    written: list[str | None] = format_geographies(loaded.table.column("Spot").combine_chunks()).to_pylist()
    return dict(zip(loaded.table.column("EntityID").to_pylist(), written, strict=True)).get("1")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("point(5 6)", "POINT (5 6)"),
        ("POINT Z (1 2 3)", "POINT (1 2 3)"),
        ("point z(1 2 -3.5)", "POINT (1 2 -3.5)"),
        ("POINT M (1 2 9)", "POINT (1 2)"),
        ("point zm (1 2 3 4)", "POINT (1 2 3)"),
        ("POINTZM(1 2 3 4)", "POINT (1 2 3)"),
        ("POINT (1 2 3 4)", "POINT (1 2 3)"),
        ("POINT (1 2 null 4)", "POINT (1 2)"),
        ("POINT (1 2 3 NULL)", "POINT (1 2 3)"),
        ("POINT ZM (1 2 Null 4)", "POINT (1 2)"),
        ("LineString Z (1 1 5, 2 2 6)", "LINESTRING (1 1 5, 2 2 6)"),
        ("LINESTRING M (1 1 5, 2 2 6)", "LINESTRING (1 1, 2 2)"),
        ("LINESTRING (1 1 5 9, 2 2 6 8)", "LINESTRING (1 1 5, 2 2 6)"),
        ("LINESTRING (1 1 5, 2 2 NULL)", "LINESTRING (1 1 5, 2 2 NULL)"),
        ("LINESTRING (1 1 NULL 7, 2 2 6 8)", "LINESTRING (1 1 NULL, 2 2 6)"),
        ("LINESTRING (1 1, 2 2 5)", "LINESTRING (1 1 NULL, 2 2 5)"),
        ("MULTIPOINT (1 2 3, 4 5)", "MULTIPOINT ((1 2 3), (4 5 NULL))"),
        ("MULTIPOINT ((1 2), (3 4 5))", "MULTIPOINT ((1 2 NULL), (3 4 5))"),
        ("MULTIPOINT (1 2, 3 4)", "MULTIPOINT ((1 2), (3 4))"),
        ("POLYGON ((1 1, 2 1, 2 2, 1 2))", "POLYGON ((1 1, 2 1, 2 2, 1 2, 1 1))"),
        ("POLYGON ((1 1 5, 2 1 6, 2 2 7))", "POLYGON ((1 1 5, 2 1 6, 2 2 7, 1 1 5))"),
        ("POLYGON ((1 1 5, 2 1 NULL, 2 2))", "POLYGON ((1 1 5, 2 1 NULL, 2 2 NULL, 1 1 5))"),
        ("POLYGON Z ((1 1 5, 2 1 6, 2 2 7, 1 1 8))", "POLYGON ((1 1 5, 2 1 6, 2 2 7, 1 1 8))"),
        (
            "POLYGON ((0 0, 9 0, 9 9), (1 1, 2 1, 2 2, 1 1))",
            "POLYGON ((0 0, 9 0, 9 9, 0 0), (1 1, 2 1, 2 2, 1 1))",
        ),
        (
            "MULTIPOLYGON (((0 0, 1 0, 1 1)), ((5 5, 6 5, 6 6)))",
            "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), ((5 5, 6 5, 6 6, 5 5)))",
        ),
        (
            "geometrycollection m (point m (1 2 9), linestring m (1 1 5, 2 2 6))",
            "GEOMETRYCOLLECTION (POINT (1 2), LINESTRING (1 1, 2 2))",
        ),
        (
            "GEOMETRYCOLLECTION (POINT (1 2), POINT (1 2 3))",
            "GEOMETRYCOLLECTION (POINT (1 2), POINT (1 2 3))",
        ),
        (f"LINESTRING ({LONG!r} 2 NULL, 1 2 3)", f"LINESTRING ({LONG!r} 2 NULL, 1 2 3)"),
    ],
)
def test_each_dialect_is_read_and_written_without_letters(text: str, written: str) -> None:
    assert written_back(text) == written


@pytest.mark.parametrize(
    ("text", "part"),
    [
        *((f"{kind} EMPTY", "is empty") for kind in ("POINT", "polygon", "MULTIPOINT", "GEOMETRYCOLLECTION")),
        ("GEOMETRYCOLLECTION (POINT (1 2), LINESTRING EMPTY)", "has an empty part"),
        ("GEOMETRYCOLLECTION (GEOMETRYCOLLECTION EMPTY, POINT (1 2))", "has an empty part"),
        ("MULTIPOLYGON (EMPTY, ((0 0, 1 0, 1 1, 0 0)))", "has an empty part"),
        ("LINESTRING (1 1, 1 1)", "has a line of one place"),
        ("MULTILINESTRING ((1 1, 2 2), (3 3, 3 3, 3 3))", "has a line of one place"),
        ("LINESTRING (1 1)", "is 'LINESTRING (1 1)': it has to be well-known text"),
        ("POLYGON ((1 1, 2 2))", "has a ring of fewer than three different places"),
        ("POLYGON ((1 1, 2 2, 2 2, 1 1, 1 1))", "has a ring of fewer than three different places"),
        ("POLYGON ((1 1 1, 2 2 2, 1 1 3, 2 2 4))", "has a ring of fewer than three different places"),
        ("POLYGON ((0 0, 9 0, 9 9, 0 0), (1 1, 2 2, 1 1))", "has a ring of fewer than three different places"),
        ("MULTIPOLYGON (((0 0, 1 0, 1 1)), ((5 5, 6 6, 5 5)))", "has a ring of fewer than three different places"),
        ("GEOMETRYCOLLECTION (POLYGON ((1 1, 2 2, 1 1)))", "has a ring of fewer than three different places"),
        ("POINT (1)", "is 'POINT (1)': it has to be well-known text"),
        ("POINT (1 2 3 4 5)", "it has to be well-known text"),
        ("POINT (1,5 2)", "it has to be well-known text"),
        ("POINT (NULL 2)", "it has to be well-known text"),
        ("1 2", "it has to be well-known text"),
        ("((", "it has to be well-known text"),
        ("CIRCULARSTRING (0 0, 1 1, 2 0)", "it has to be well-known text"),
        ("SRID=4326;POINT (1 2)", "it has to be well-known text"),
        ("POINT (1 2) POINT (3 4)", "it has to be well-known text"),
        ("POINT (47.6 -122.3)", "is -122.3, the geography's centroid (longitude comes first in well-known text)"),
        ("POINT (1e308 1e308)", "it has to be between -90 and 90"),
    ],
)
def test_a_text_that_is_no_geography_fails_with_a_reason(text: str, part: str) -> None:
    loaded = loaded_shapes(text)
    assert len(loaded.entities) == 1
    (reason,) = loaded.reasons
    assert part in reason


WORDS = ["POINT", "LINESTRING", "MULTIPOINT", "Z", "M", "EMPTY", "NULL", "(", ")", ",", "1", "2.5", "-3", "e", "x", " "]


@given(st.lists(st.sampled_from(WORDS)))
def test_any_text_is_a_geography_or_fails(parts: list[str]) -> None:
    loaded = loaded_shapes("".join(parts))
    assert len(loaded.entities) + len(loaded.failures) == 2


def test_shapes_are_made_in_pieces_and_stay_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[int] = []
    read = geography.read_shapes

    def counted(column: pa.Array) -> tuple[Shapes, dict[int, str]]:
        held.append(len(column))
        return read(column)

    monkeypatch.setattr(geography, "MAX_SHAPE_BYTES", 200)
    monkeypatch.setattr(geography, "read_shapes", counted)
    loaded = loaded_shapes(*(f"POINT ({row % 180} {row % 90})" if row % 7 else "POINT" for row in range(1, 300)))
    assert max(held) < 20
    assert [failure.entity_id for failure in loaded.failures] == [str(row) for row in range(7, 300, 7)]
    assert [entity["Longitude"] for entity in loaded.entities] == [0, *(row % 180 for row in range(300) if row % 7)]
