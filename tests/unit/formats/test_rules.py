"""An entity that breaks a rule fails with its location, its id and the reason; the others load."""

import pytest

from proxy.formats.batches import RowError
from proxy.formats.limits import LoadLimits
from proxy.formats.schema import InvalidDataError
from tests.unit.formats.loading import PLACE, csv_of, load, placed, xml_of

KEY = "EntityID(Edm.String,primaryKey)"
WKT = "it has to be well-known text like POINT (-122.3 47.6) or POLYGON ((0 0, 1 0, 1 1, 0 0))"
ALL = f"{KEY},Name(Edm.String),Open(Edm.Int64),Wifi(Edm.Boolean),Area(Edm.Double),Made(Edm.DateTime)"


DATE = "a date is like 2013-01-03T23:22:15.7979398Z, 2013-01-03 or 1/3/2013 11:22:15 PM, in the years 1 to 9999"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",n,1,true,1,", "EntityID is missing"),
        (f"{'i' * 51},n,1,true,1,", f"EntityID is '{'i' * 50}...', of 51 characters: at most 50 are allowed"),
        ("good,n,1,true,1,", "EntityID is 'good', as that of another entity before it"),
        (
            f"bad,{'n' * 2561},1,true,1,",
            f"Name is '{'n' * 50}...', of 2,561 characters: at most 2,560 are allowed",
        ),
        ("bad,a\x07b,1,true,1,", "Name is 'a b', with the character U+0007, which XML cannot carry"),
        ("bad,a\ufffeb,1,true,1,", "Name is 'a b', with the character U+FFFE, which XML cannot carry"),
        ("bad,n,1.5,true,1,", "Open is '1.5': Edm.Int64 is a sign and digits, without a fraction"),
        ("bad,n,1,yes,1,", "Wifi is 'yes': it has to be true, false, 1 or 0"),
        ("bad,n,1,true,one,", "Area is 'one': Edm.Double is a number like 8.5, -8.5 or 8.5E-3"),
        ("bad,n,1,true,1,2010-02-29T00:00:00Z", f"Made is '2010-02-29T00:00:00Z': {DATE}"),
    ],
)
def test_an_entity_that_breaks_a_rule_fails_alone(row: str, reason: str) -> None:
    loaded = load(placed(ALL, "good,n,1,true,1,2010-01-01T00:00:00Z", row, "other,,,,,"), "csv")
    assert [entity["EntityID"] for entity in loaded.entities] == ["good", "other"]
    assert loaded.failures == [RowError("line 4", row.split(",", 1)[0].strip() or None, reason)]


def test_a_wrong_value_is_not_called_missing() -> None:
    header = f"{KEY},{PLACE},Area(Edm.Geography)"
    rows = ["1,x,2,", "2,47;6,2,POINT(1 2)", "3,,,POINT(1", "4,1,2,POINT(1 2)"]
    assert load(csv_of(header, *rows), "csv").reasons == [
        "Latitude is 'x': Edm.Double is a number like 8.5, -8.5 or 8.5E-3",
        "Latitude is '47;6': Edm.Double is a number like 8.5, -8.5 or 8.5E-3",
        f"Area is 'POINT(1': {WKT}",
    ]


def test_failures_are_in_the_order_of_the_file() -> None:
    rows = ["1,x", "2,1,surplus", "3,y", "4,1", "5,z", "6,1,surplus", "7,1,surplus", "8,x"]
    loaded = load(placed(f"{KEY},Open(Edm.Int64)", *rows), "csv")
    assert [failure.entity_id for failure in loaded.failures] == ["1", "2", "3", "5", "6", "7", "8"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("bad,91,0", "Latitude is '91': it has to be between -90 and 90"),
        ("bad,0,180.5", "Longitude is '180.5': it has to be between -180 and 180"),
        ("bad,0, +2.050E2 ", "Longitude is '+2.050E2': it has to be between -180 and 180"),
        ("bad,,0", "Latitude is missing"),
        ("bad,0,", "Longitude is missing"),
    ],
)
def test_a_location_out_of_range_fails(row: str, reason: str) -> None:
    loaded = load(csv_of(f"{KEY},{PLACE}", "1,90,-180", "2,-90,180", row), "csv")
    assert [entity["EntityID"] for entity in loaded.entities] == ["1", "2"]
    assert loaded.reasons == [reason]


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ("POINT(1 2", f"is 'POINT(1 2': {WKT}"),
        ("POINT(nan 1)", "has a coordinate that is not a number: 'POINT(nan 1)'"),
        ("POINT Z(1 1 1e999)", "has a coordinate that is not a number: 'POINT Z(1 1 1e999)'"),
        ("POINT(0x10 1)", f"is 'POINT(0x10 1)': {WKT}"),
        (
            f"LINESTRING({','.join(['1 1'] * 100_001)})",
            f"has more than 100,000 points: 'LINESTRING({'1 1,' * 9}1 1...'",
        ),
        (
            f"{'GEOMETRYCOLLECTION(' * 16}POINT(1 2){')' * 16}",
            f"has 17 brackets in each other, and at most 16 are allowed: '{('GEOMETRYCOLLECTION(' * 16)[:50]}...'",
        ),
    ],
)
def test_a_geography_keeps_its_rules(shape: str, reason: str) -> None:
    loaded = load(csv_of(f"{KEY},Area(Edm.Geography)", "1,POINT(1 2)", f'bad,"{shape}"'), "csv")
    assert [entity["EntityID"] for entity in loaded.entities] == ["1"]
    assert loaded.reasons == [f"Area {reason}"]


def test_a_geography_of_most_points_and_brackets_loads() -> None:
    points, brackets = ",".join(f"{number / 1000} 1" for number in range(100_000)), ",".join(["(1 1)"] * 50)
    rows = (f'1,"LINESTRING({points})"', f'2,"MULTIPOINT({brackets})"')
    assert len(load(csv_of(f"{KEY},Area(Edm.Geography)", *rows), "csv").entities) == 2


def test_a_missing_location_is_the_centroid() -> None:
    header = f"{KEY},Latitude(Edm.Double),Longitude(Edm.Double),Area(Edm.Geography)"
    square = '"POLYGON((0 0,4 0,4 2,0 2,0 0))"'
    loaded = load(
        csv_of(header, f"1,,,{square}", f"2,50,60,{square}", f"3,50,,{square}", "4,5,6,", "5,,,", "6,,, "), "csv"
    )
    assert [(entity["Latitude"], entity["Longitude"]) for entity in loaded.entities] == [
        (1, 2),
        (50, 60),
        (50, 2),
        (5, 6),
    ]
    assert loaded.reasons == ["Latitude is missing", "Latitude is missing"]


def test_a_second_entity_with_an_id_fails_in_any_batch() -> None:
    rows = [f"{number},," for number in range(6_000)]
    loaded = load(placed(f"{KEY},A(Edm.String),B(Edm.String)", *rows, "0,,", "5999,,"), "csv")
    assert len(loaded.entities) == 6_000
    assert [(failure.location, failure.entity_id) for failure in loaded.failures] == [
        ("line 6003", "0"),
        ("line 6004", "5999"),
    ]
    assert max(batch.entities.num_rows for batch in loaded.batches) <= 5_000


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (placed(KEY, "1", " 1 ", '" a\tb "', '" "'), "csv"),
        (
            xml_of(
                "<Shops><EntityID>1</EntityID></Shops><Shops><EntityID>\n 1\n</EntityID></Shops>"
                "<Shops><EntityID> a&#9;b </EntityID></Shops><Shops><EntityID> </EntityID></Shops>"
            ),
            "xml",
        ),
    ],
)
def test_an_id_is_trimmed_in_each_format(data: bytes, form: str) -> None:
    loaded = load(data, form)
    assert [entity["EntityID"] for entity in loaded.entities] == ["1", "a\tb"]
    assert loaded.reasons == ["EntityID is '1', as that of another entity before it", "EntityID is missing"]
    assert [failure.entity_id for failure in loaded.failures] == ["1", None]


@pytest.mark.parametrize("type_", ["String", "Boolean", "Int64"])
def test_an_incremental_load_deletes_what_is_marked(type_: str) -> None:
    header = f"{KEY},__deleteEntity(Edm.{type_}),Latitude(Edm.Double),Longitude(Edm.Double)"
    rows = ["1,1,x,x", "2,true,,", "3,0,1,2", "4,,1,2", "5,false,1,2", "6,maybe,1,2", ",1,,", "1,1,,"]
    loaded = load(csv_of(header, *rows), "csv", incremental=True)
    assert loaded.deleted == ["1", "2"]
    assert [entity["EntityID"] for entity in loaded.entities] == ["3", "4", "5"]
    assert loaded.entities[0].keys() == {"EntityID", "Latitude", "Longitude"}
    assert loaded.reasons == [
        "__deleteEntity is 'maybe': it has to be true, false, 1 or 0",
        "EntityID is missing",
        "EntityID is '1', as that of another entity before it",
    ]


def test_failed_entities_count_towards_the_limit() -> None:
    header = f"{KEY},Open(Edm.Int64)"
    assert len(load(placed(header, "1,1", "2,2"), "csv", limits=LoadLimits(entities=2)).entities) == 2
    with pytest.raises(InvalidDataError, match="more than 2 entities"):
        load(placed(header, "1,1", "2,2", "3,x"), "csv", limits=LoadLimits(entities=2))


def test_a_file_with_nothing_usable_is_refused_with_a_reason() -> None:
    with pytest.raises(InvalidDataError, match="nothing in the data is usable; the first of 2, line 3: Open is 'x'"):
        load(placed(f"{KEY},Open(Edm.Int64)", "1,x", "2,y"), "csv")
    with pytest.raises(InvalidDataError, match="it holds no entities"):
        load(placed(KEY), "csv")
