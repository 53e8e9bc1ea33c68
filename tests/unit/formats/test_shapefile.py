"""Shapefiles: each record of the set is an entity."""

import io
from datetime import date
from typing import Any

import pytest
import shapefile
import shapely

from adapters.model.ticks import parse_ticks
from proxy.formats.limits import LoadLimits
from proxy.formats.schema import EdmType, InvalidDataError
from tests.unit.formats.loading import export, load, zipped

SQUARE = [[0, 0], [0, 2], [2, 2], [2, 0], [0, 0]]


def files(*records: dict[str, Any], kind: int = shapefile.POLYGON, id_field: bool = True) -> dict[str, bytes]:
    """The files of a set by suffix; a record may have `shape`, and the fields id, name, open, area, wifi, made."""
    parts = {suffix: io.BytesIO() for suffix in ("shp", "shx", "dbf")}
    with shapefile.Writer(**parts, shapeType=kind, encoding="utf-8") as writer:
        if id_field:
            writer.field("entityid", "C", 60)
        writer.field("name", "C", 60)
        writer.field("open", "N", 10, 0)
        writer.field("area", "N", 20, 5)
        writer.field("wifi", "L")
        writer.field("made", "D")
        for record in records:
            shape = record.get("shape", [SQUARE])
            writer.null() if shape is None else writer.point(*shape) if kind == shapefile.POINT else writer.poly(shape)
            names = ["name", "open", "area", "wifi", "made"]
            writer.record(*([record.get("id", "")] if id_field else []), *(record.get(name) for name in names))
    return {suffix: part.getvalue() for suffix, part in parts.items()}


def packed(found: dict[str, bytes], **more: bytes) -> bytes:
    return zipped(*((f"places/shops.{suffix.upper()}", data) for suffix, data in (found | more).items()))


def test_record_becomes_an_entity_with_attributes_and_shape() -> None:
    record = {"id": "a", "name": "Løven", "open": 7, "area": 1.5, "wifi": True, "made": date(2010, 2, 3)}
    loaded = load(packed(files(record, {"name": "b", "wifi": False})), "shp")
    assert loaded.failures == []
    assert loaded.entity_type.name == "Shape"
    assert [(property_.name, property_.type) for property_ in loaded.entity_type.properties] == [
        ("EntityID", EdmType.STRING),
        ("name", EdmType.STRING),
        ("open", EdmType.INT64),
        ("area", EdmType.DOUBLE),
        ("wifi", EdmType.BOOLEAN),
        ("made", EdmType.DATETIME),
        ("Geometry", EdmType.GEOGRAPHY),
        ("Latitude", EdmType.DOUBLE),
        ("Longitude", EdmType.DOUBLE),
    ]
    first, second = loaded.entities
    assert (first["EntityID"], first["name"], first["open"], first["area"], first["wifi"]) == (
        "a",
        "Løven",
        7,
        1.5,
        True,
    )
    assert first["made"] == parse_ticks("2010-02-03T00:00:00Z")
    assert (first["Latitude"], first["Longitude"]) == (1, 1)
    assert (second["EntityID"], second["open"], second["wifi"]) == ("2", None, False)
    assert shapely.from_wkb(first["Geometry"]).equals(shapely.Polygon(SQUARE))
    assert load(export(loaded), "xml").table == loaded.table


def test_record_without_usable_shape_fails_alone() -> None:
    many = [[index / 1e4, 0] for index in range(100_001)]
    loaded = load(packed(files({"id": "a"}, {"id": "b", "shape": None}, {"id": "c", "shape": [many]})), "shp")
    assert [entity["EntityID"] for entity in loaded.entities] == ["a"]
    assert {failure.location: failure.reason for failure in loaded.failures} == {
        "record 2": "Geometry is missing: the record has no shape",
        "record 3": "Geometry has 100,002 points; at most 100,000 are allowed",
    }


def test_many_records_come_in_batches() -> None:
    records = [{"shape": (1, 2)}] * 5_001
    assert [
        batch.entities.num_rows for batch in load(packed(files(*records, kind=shapefile.POINT)), "shp").batches
    ] == [5_000, 1]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (files({})["shp"], "has to be a ZIP file of its .shp and .dbf files"),
        (zipped(("a.shp", files({})["shp"])), "holds no .dbf file"),
        (packed(files({}), prj=b'PROJCS["WGS 84 / UTM"]'), "projected"),
        (zipped(*((f"{name}.shp", b"") for name in "ab")), "more than one .shp file"),
        (packed(files({}) | {"dbf": b"\xff" * 100}), "is of the type 0xFF"),
        (packed(files({}) | {"dbf": b"\x03" * 20}), ".dbf file is cut off"),
        (packed(files({}) | {"shp": b"no"}), ".shp file does not begin as one"),
    ],
)
def test_invalid_shapefile_set_aborts_the_load(data: bytes, message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        load(data, "shp")


def test_no_more_records_are_read_than_the_limit() -> None:
    with pytest.raises(InvalidDataError, match="more than 1 entities"):
        load(packed(files({}, {})), "shp", limits=LoadLimits(entities=1))
