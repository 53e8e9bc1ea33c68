"""An entity that breaks a rule fails with its place, its id and the reason; the others load."""

import pytest

from proxy.exchange.batch import Failure
from proxy.exchange.limits import Limits
from proxy.exchange.schema import UnusableError
from tests.exchange.loading import csv_of, load

KEY = "EntityID(Edm.String,primaryKey)"
ALL = f"{KEY},Name(Edm.String),Open(Edm.Int64),Wifi(Edm.Boolean),Area(Edm.Double),Made(Edm.DateTime)"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",n,1,true,1,", "EntityID is missing"),
        (f"{'i' * 51},n,1,true,1,", "EntityID is longer than 50 characters"),
        ("good,n,1,true,1,", "another entity before it has the same EntityID"),
        (f"bad,{'n' * 2561},1,true,1,", "Name is longer than 2,560 characters"),
        ("bad,a\x07b,1,true,1,", "Name has the character U+0007, which XML can't carry"),
        ("bad,a\ufffeb,1,true,1,", "Name has the character U+FFFE, which XML can't carry"),
        ("bad,n,1.5,true,1,", "Open is no whole number of 64 bits"),
        ("bad,n,0x10,true,1,", "Open is no whole number of 64 bits"),
        ("bad,n,9223372036854775808,true,1,", "Open is no whole number of 64 bits"),
        ("bad,n,1,yes,1,", "Wifi is neither true nor false"),
        ("bad,n,1,true,one,", "Area is no number"),
        ("bad,n,1,true,1e,", "Area is no number"),
        ("bad,n,1,true,1e999,", "Area is larger than a double can be"),
        (
            "bad,n,1,true,1,2010-02-29T00:00:00Z",
            "Made is no date like 2013-01-03T23:22:15.7979398Z in the years 1 to 9999",
        ),
        (
            "bad,n,1,true,1,0000-02-01T00:00:00Z",
            "Made is no date like 2013-01-03T23:22:15.7979398Z in the years 1 to 9999",
        ),
        ("bad,n,1,true,1,yesterday", "Made is no date like 2013-01-03T23:22:15.7979398Z in the years 1 to 9999"),
        ("bad,n,1,true", "has 4 values; the schema names 6"),
    ],
)
def test_an_entity_that_breaks_a_rule_fails_and_the_others_load(row: str, reason: str) -> None:
    loaded = load(csv_of(ALL, "good,n,1,true,1,2010-01-01T00:00:00Z", row, "other,,,,,"), "csv")
    assert [entity["EntityID"] for entity in loaded.entities] == ["good", "other"]
    assert loaded.failures == [Failure("line 4", row.split(",", 1)[0] or loaded.failures[0].entity_id, reason)]


def test_an_entity_has_one_reason_and_it_is_the_first() -> None:
    loaded = load(csv_of(ALL, "good,,,,,", "bad,n,x,x,x,x"), "csv")
    assert loaded.reasons == ["Open is no whole number of 64 bits"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("bad,91,0", "Latitude is not between -90 and 90"),
        ("bad,-90.000001,0", "Latitude is not between -90 and 90"),
        ("bad,0,180.5", "Longitude is not between -180 and 180"),
        ("bad,NaN,0", "Latitude is not between -90 and 90"),
        ("bad,0,-INF", "Longitude is not between -180 and 180"),
        ("bad,,0", "Latitude is missing"),
        ("bad,0,", "Longitude is missing"),
        ("bad,x,0", "Latitude is no number"),
    ],
)
def test_a_location_is_on_earth(row: str, reason: str) -> None:
    loaded = load(csv_of(f"{KEY},Latitude(Edm.Double),Longitude(Edm.Double)", "1,90,-180", "2,-90,180", row), "csv")
    assert [entity["EntityID"] for entity in loaded.entities] == ["1", "2"]
    assert loaded.reasons == [reason]


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ("POINT(1 2", "is no well-known text of a geography"),
        ("CIRCULARSTRING(0 0,1 1,2 0)", "is no well-known text of a geography"),
        ("POLYGON((0 0,1 1,2 2,3 3))", "is no well-known text of a geography"),
        ("POINT EMPTY", "has no points"),
        ("POINT M(1 2 3)", "has measures (M), which a geography can't have"),
        ("POINT(nan 1)", "has a coordinate that is not a number"),
        ("POINT Z(1 1 inf)", "has a coordinate that is not a number"),
        (f"LINESTRING({','.join(['1 1'] * 100_001)})", "has more than 100,000 points"),
        (f"{'GEOMETRYCOLLECTION(' * 17}POINT(1 2){')' * 17}", "is no well-known text of a geography"),
    ],
)
def test_a_geography_keeps_its_rules(shape: str, reason: str) -> None:
    loaded = load(csv_of(f"{KEY},Area(Edm.Geography)", "1,POINT(1 2)", f'bad,"{shape}"'), "csv")
    assert [entity["EntityID"] for entity in loaded.entities] == ["1"]
    assert loaded.reasons == [f"Area {reason}"]


def test_a_geography_of_100_000_points_loads() -> None:
    points = ",".join(f"{number / 1000} 1" for number in range(100_000))
    assert len(load(csv_of(f"{KEY},Area(Edm.Geography)", f'1,"LINESTRING({points})"'), "csv").entities) == 1


def test_many_brackets_side_by_side_are_not_deep() -> None:
    points = ",".join(f"({number} 1)" for number in range(50))
    assert (
        len(load(csv_of(f"{KEY},Area(Edm.Geography)", f'1,"MULTIPOINT({points})"', "2,POINT(1 2)"), "csv").entities)
        == 2
    )


def test_a_missing_location_is_the_centroid_and_a_given_one_stays() -> None:
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


def test_of_two_entities_with_one_id_the_later_one_fails_in_any_batch() -> None:
    rows = [f"{number},," for number in range(6_000)]
    loaded = load(csv_of(f"{KEY},A(Edm.String),B(Edm.String)", *rows, "0,,", "5999,,"), "csv")
    assert len(loaded.entities) == 6_000
    assert [(failure.place, failure.entity_id) for failure in loaded.failures] == [
        ("line 6003", "0"),
        ("line 6004", "5999"),
    ]
    assert max(batch.entities.num_rows for batch in loaded.batches) <= 5_000


@pytest.mark.parametrize("type_", ["String", "Boolean", "Int64"])
def test_an_incremental_load_deletes_what_is_marked(type_: str) -> None:
    header = f"{KEY},__deleteEntity(Edm.{type_}),Latitude(Edm.Double),Longitude(Edm.Double)"
    rows = ["1,1,x,x", "2,true,,", "3,0,1,2", "4,,1,2", "5,false,1,2", "6,maybe,1,2", ",1,,", "1,1,,"]
    loaded = load(csv_of(header, *rows), "csv", incremental=True)
    assert loaded.deleted == ["1", "2"]
    assert [entity["EntityID"] for entity in loaded.entities] == ["3", "4", "5"]
    assert loaded.entities[0].keys() == {"EntityID", "Latitude", "Longitude"}
    assert loaded.reasons == [
        "__deleteEntity is neither true nor false",
        "EntityID is missing",
        "another entity before it has the same EntityID",
    ]


def test_no_more_entities_load_than_the_limit_and_failed_ones_count() -> None:
    header = f"{KEY},Open(Edm.Int64)"
    assert len(load(csv_of(header, "1,1", "2,2"), "csv", limits=Limits(entities=2)).entities) == 2
    with pytest.raises(UnusableError, match="more than 2 entities"):
        load(csv_of(header, "1,1", "2,2", "3,x"), "csv", limits=Limits(entities=2))


def test_a_file_where_nothing_is_usable_says_why_once() -> None:
    with pytest.raises(UnusableError, match="nothing in the data is usable; the first of 2, line 3: Open is no whole"):
        load(csv_of(f"{KEY},Open(Edm.Int64)", "1,x", "2,y"), "csv")
    with pytest.raises(UnusableError, match="it holds no entities"):
        load(csv_of(KEY), "csv")
