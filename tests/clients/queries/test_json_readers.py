"""Clients that read JSON, each with what would break it."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.queries import AREAS, Queries
from tests.support.query_fixtures import MANY

NEAR = "spatialFilter=nearby(40.83275,-74.31633,5)"
WORLD = "POLYGON((-179.99 -85,179.99 -85,179.99 85,-179.99 85,-179.99 -85))"


def results(queries: Queries, request: str) -> list[dict[str, Any]]:
    """The results of a list; `json.loads` reads whole numbers as int and others as float."""
    return list(json.loads(queries.ask(request).body)["d"]["results"])


def test_alltheplaces_counts_and_then_takes_pages_until_all_have_come(many: Queries) -> None:
    """It breaks where the count is that of the page, where 1 Eq 1 is refused, and where pages overlap or miss."""
    asked = "Stores?$filter=1 Eq 1&$select=*&$format=json"
    count = int(json.loads(many.ask(f"{asked}&$top=1&$inlinecount=allpages").body)["d"]["__count"])
    assert count == MANY
    ids = [
        each["Id"]
        for skip in range(0, count, 250)
        for each in results(many, f"{asked}&$top=250&$skip={skip}&key={{key}}")
    ]
    assert ids == [f"s{number:06d}" for number in range(MANY)]
    either = "Stores?$filter=(Note eq 'P66' OR Note ne 'P66')&$inlinecount=allpages&$format=json&$top=1"
    assert json.loads(many.ask(either).body)["d"]["__count"] == MANY


@pytest.mark.parametrize("top", [0, 100_000])
def test_scrapers_take_pages_until_one_is_empty(top: int, many: Queries) -> None:
    """Python store scrapers and a Ford spider: they break where `$top=0` gives none, or more than 250 an error."""
    ids: list[str] = []
    while found := results(many, f"Stores?$top={top}&$inlinecount=allpages&$skip={len(ids)}&$format=json"):
        assert len(found) == min(250, MANY - len(ids))
        ids += [each["Id"] for each in found]
    assert len({*ids}) == MANY


def test_the_android_sdk_reads_every_member_as_text(shops: Queries) -> None:
    """It asks by `$top=0`, takes ISO-8859-1, and reads a date's digits: it breaks on UTF-8 and on an offset."""
    text = shops.ask("FourthCoffeeShops?$select=*&$format=json&$top=0").body.decode("iso-8859-1")
    found = json.loads(text)["d"]["results"]
    assert len(found) == 23
    (record,) = [each for each in found if each["EntityID"] == "-22067"]
    assert record["AddressLine"] == "Løven"
    digits = re.fullmatch(r"/Date\((\d+)\)/", record["CreatedDate"])
    assert digits is not None
    assert datetime.fromtimestamp(int(digits[1]) / 1000, UTC) == datetime(2010, 11, 3, tzinfo=UTC)


def test_a_rest_client_reads_a_single_entity_from_d_itself(shops: Queries) -> None:
    """It breaks on `results` around one entity."""
    one = json.loads(shops.ask("FourthCoffeeShops('-8051')?key={key}&$format=json").body)["d"]
    assert (one["EntityID"], "results" in one) == ("-8051", False)
    several = "FourthCoffeeShops?$filter=entityId in ('-8051','-8174') And Open eq 700&$format=json"
    assert {each["EntityID"] for each in results(shops, several)} <= {"-8051", "-8174"}


@pytest.mark.parametrize(("point", "names"), [("5 4", ["Square"]), ("-60 -60", [])])
def test_a_geofence_counts_the_results(point: str, names: list[str], shops: Queries) -> None:
    """The notification hubs' sample: it breaks where an empty list has no `results`."""
    request = f"Areas?spatialFilter=intersects(%27POINT%20({point.replace(' ', '%20')})%27)&$format=json"
    found = results(Queries(shops.server, AREAS), request)
    assert [each["Name"] for each in found] == names
    assert all(each["Boundary"].startswith("POLYGON ((") for each in found)


def test_fords_crawler_splits_the_text(shops: Queries) -> None:
    """A Java program: it breaks on white space, and where another member than `__metadata` is the first."""
    text = shops.ask(f"FourthCoffeeShops?{NEAR}&$select=EntityID,Phone,__Distance&$format=json").body.decode()
    head, *entities = text.split('{"__metadata":')
    assert head.endswith('"results":[')
    for entity in entities:
        assert entity.startswith('{"uri":"')
        assert entity.split(',"EntityID":"')[1].split('"')[0].startswith("-")
        assert float(re.split("[,}]", entity.split('"__Distance":')[1])[0]) < 5


@dataclass(frozen=True)
class Shop:
    """An entity as a typed reader has it; a value of another type throws."""

    EntityID: str
    Latitude: float
    PostalCode: str
    SecondaryCity: str
    Open: int
    IsWiFiHotSpot: bool
    SeatingCapacity: int | None

    def __post_init__(self) -> None:
        """Checks each type, as serde and the contract serializer do."""
        for name, allowed in SHOP_TYPES.items():
            assert type(getattr(self, name)) in allowed, name


TEXT: set[type] = {str}
SHOP_TYPES: dict[str, set[type]] = {"EntityID": TEXT, "Latitude": {float}, "PostalCode": TEXT, "SecondaryCity": TEXT}
SHOP_TYPES |= {"Open": {int}, "IsWiFiHotSpot": {bool}, "SeatingCapacity": {int, type(None)}}


def test_typed_readers_get_each_value_in_its_type(shops: Queries) -> None:
    """Lidl's Rust client and a C# data contract: they break on ids as numbers, numbers as texts, null Strings."""
    names = ",".join(SHOP_TYPES)
    request = f"FourthCoffeeShops?$filter=Open%20Eq%20700&$select={names}&$format=json"
    found = [{name: each[name] for name in SHOP_TYPES} for each in results(shops, request)]
    assert [Shop(**each) for each in found]
    assert "" in {each["SecondaryCity"] for each in found}  # to Lidl's client: not given


def test_jquery_encodes_the_names_of_parameters(shops: Queries) -> None:
    """`$.param`: it breaks where names are compared before they are decoded, and on its cache buster."""
    query = {"spatialFilter": NEAR[14:], "$top": "2", "$format": "json", "$select": "EntityID,Name", "_": "1699000"}
    encoded = urlencode(query | {"$filter": "EntityID ne 'x'", "key": "query-key"})
    assert "%24top=2" in encoded
    assert "%2C" in encoded
    assert "%27" in encoded
    assert len(json.loads(shops.ask(f"FourthCoffeeShops?{encoded}", None).body)["d"]["results"]) == 2


@pytest.mark.parametrize(
    "filter_",
    [
        "PostalCode Eq 9200 or PostalCode Eq 7004",  # Meteor
        "PostalCode in(9200,7004)",  # React
        "PostalCode in (9200, 7004) AND Open Eq '700'",
        "IsWiFiHotSpot Eq '0' And PostalCode Eq '9200'",  # Ford
        "StartsWith(PostalCode,92) Or startswith(PostalCode,'92') eq 1",
    ],
)
def test_literals_of_another_type_bend_to_the_propertys(filter_: str, shops: Queries) -> None:
    """Numbers against Strings, texts against Booleans: clients break where a comparison is refused by its types."""
    assert "-22067" in [
        each["EntityID"] for each in results(shops, f"FourthCoffeeShops?$filter={filter_}&$format=json")
    ]


def test_a_fuel_station_finder_compares_its_values(shops: Queries) -> None:
    """It breaks on a count that is a text, and on Booleans as "0" or "false", which are true to JavaScript."""
    names = (
        "EntityID,Latitude,Longitude,AddressLine,PrimaryCity,Subdivision,PostalCode,Phone,SecondaryCity,CountryRegion,"
        "Name,DisplayName,Manager,StoreOpen,StoreType,SeatingCapacity,Open,Close,IsWiFiHotSpot,IsWheelchairAccessible,"
        "AcceptsOnlineOrders,AcceptsCoffeeCards,__Distance"
    )
    filter_ = "StoreOpen Eq 'Y' And (IsWiFiHotSpot Eq True Or AcceptsCoffeeCards Eq True)"
    request = f"FourthCoffeeShops?{NEAR}&$filter={filter_}&$select={names}&$inlinecount=allpages&$format=json"
    data = json.loads(shops.ask(request).body)["d"]
    assert type(data["__count"]) is int
    assert data["__count"] <= 25
    for each in data["results"]:
        assert list(each)[1:] == names.split(",")
        assert each["IsWiFiHotSpot"] in {True, False}
        assert type(each["__Distance"]) is float


def test_a_tile_server_sends_an_empty_segment(shops: Queries) -> None:
    """A VB program: it breaks on `data//`, on a count as a text, and on `POLYGON ((` with its blank."""
    tiles = Queries(shops.server, AREAS, f"/{shops.access_id}")
    shape = "POLYGON ((4 4, 6 4, 6 6, 4 6, 4 4))"
    request = f"Areas?SpatialFilter=intersects('{shape}')&$top=250&$skip=0&$inlinecount=allpages&$format=json"
    data = json.loads(tiles.ask(request).body)["d"]
    assert list(data) == ["__copyright", "__count", "results"]
    assert data["__count"] == len(data["results"]) > 0


def test_small_clients_take_the_first_results(shops: Queries) -> None:
    """A hotel skill and Windows App Studio: a list of at most ten, though there is less."""
    assert len(results(shops, "FourthCoffeeShops?spatialFilter=nearby(0,0,1)&$format=json")[0:10]) == 0
    assert len(results(shops, f"FourthCoffeeShops?{NEAR}&$format=json&$top=10")[0:10]) == 6


def test_swapped_coordinates_and_an_open_ring_are_refused(shops: Queries) -> None:
    """Study.BingMap's request: it never worked, and a wrong answer would hide that."""
    request = "FourthCoffeeShops?spatialFilter=intersects('POLYGON((47 -122,48 -122,48 -121))')&$format=json"
    assert "ring" in shops.refused(request, 400)
