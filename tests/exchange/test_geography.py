"""A geography's numbers come back unchanged, to the last bit."""

import pyarrow as pa
import pytest
import shapely
from hypothesis import given

from proxy.exchange.exact_wkt import exact_wkt
from proxy.exchange.geography import to_wkt
from tests.exchange.loading import csv_of, export, load
from tests.exchange.strategies import SHAPES

# GEOS alone writes 0.2239513803776418 for it.
LONG = 0.22395138037764184


@given(SHAPES)
def test_each_kind_of_shape_reads_back_as_the_same_from_both_ways_to_write_it(shape: shapely.Geometry) -> None:
    written = shapely.to_wkb(shape, flavor="iso", byte_order=1)
    for text in (exact_wkt(shape), to_wkt(pa.array([written], pa.binary()))[0].as_py()):
        assert shapely.to_wkb(shapely.from_wkt(text), flavor="iso", byte_order=1) == written


def test_an_empty_part_is_written() -> None:
    shape = shapely.from_wkt("GEOMETRYCOLLECTION(POINT EMPTY, POINT(1 2))")
    assert exact_wkt(shape) == "GEOMETRYCOLLECTION (POINT EMPTY, POINT (1.0 2.0))"


@pytest.mark.parametrize("number", [LONG, 5e-324, 1.7976931348623157e308, 180.0, 1e-7, 123456789.123456789])
def test_a_number_keeps_every_bit(number: float) -> None:
    loaded = load(
        csv_of("EntityID(Edm.String,primaryKey),A(Edm.Geography)", f"1,POINT Z({LONG!r} 2 {number!r})"), "csv"
    )
    again = load(export(loaded), "xml")
    assert shapely.from_wkb(again.entities[0]["A"]).z == number
    assert again.table == loaded.table


def test_a_negative_zero_is_the_same_place_as_zero() -> None:
    header = "EntityID(Edm.String,primaryKey),A(Edm.Geography)"
    loaded = load(csv_of(header, "1,POINT(-0.0 2)", "2,POINT Z(0 -0 -0.0)", "3,POINT(0 2)"), "csv")
    assert loaded.entities[0]["A"] == loaded.entities[2]["A"]
    assert load(export(loaded), "xml").table == loaded.table
