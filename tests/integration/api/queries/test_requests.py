"""Forms of requests that clients send (query-api.md, section 1), over HTTP."""

import json
from collections.abc import Iterator

import pytest

from tests.support.live import LiveServer
from tests.support.queries import Queries, load, start_querying
from tests.support.storage import Storage

IDS = ("a'b", "a/b", "a b", "a+b", "a%b", "ü", "a(b)", "'", "x", "X", "100%25")
ROWS = "\n".join(f"{id_}|1|2" for id_ in IDS)
HEAD = "Id(Edm.String,primaryKey)|Latitude(Edm.Double)|Longitude(Edm.Double)"
ODD = f"Bing Spatial Data Services, 1.0, Places\n{HEAD}\n{ROWS}"

NEAR = "spatialFilter=nearby(40.83274904439099,-74.3163299560546935,5)"
NEAREST = ["-8051", "-8174", "-8181"]


@pytest.fixture(scope="module")
def places(shared_storage: Storage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Queries]:
    """A data source whose ids hold odd characters."""
    load(shared_storage, ODD.encode(), "Odd-Places_1")
    with start_querying(shared_storage, tmp_path_factory.mktemp("odd") / "files") as server:
        yield Queries(server, "Odd-Places_1")


@pytest.mark.parametrize(
    "request_",
    [
        f"FourthCoffeeShops?{NEAR}&$top=3",
        f"FourthCoffeeShops?&{NEAR}&$top=3",
        f"/FourthCoffeeShops/?{NEAR}&$top=3",
        f"fourthCOFFEEshops?SPATIALFILTER={NEAR[14:].upper()}&$TOP=3",
        f"FourthCoffeeShops?{NEAR}&%24top=3",
        f"FourthCoffeeShops?{NEAR}&%24TOP=3&$top=1",
        f"FourthCoffeeShops?{NEAR}&$top=&$top=1&$filter=Name%20ne%20null".replace("$top=&$top=1", "$top=3&$top=1"),
        "FourthCoffeeShops?spatialfilter=nearby%2840.83274904439099%2C-74.3163299560546935%2C5%29&$top=3",
        "FourthCoffeeShops?spatialFilter=nearby(+40.83274904439099,-74.3163299560546935+,+5+)&$top=3",
        f"FourthCoffeeShops?{NEAR}&$top=3&output=xml",
        f"FourthCoffeeShops?{NEAR}&$top=3&o=pdf",
        f"FourthCoffeeShops?{NEAR}&$top=3&clientApi=SDSToolkit&_=1699&callback=x&jobId=1&setPublic=7",
        f"FourthCoffeeShops?{NEAR}&$top=3&key={{key}}&key=another",
    ],
)
def test_odd_requests_are_answered_as_the_plain_one(request_: str, shops: Queries) -> None:
    found = shops.read(request_)
    assert (found.format, found.ids) == ("atom", NEAREST)


@pytest.mark.parametrize(
    ("request_", "form"),
    [
        ("", "atom"),
        ("$format=ATOM", "atom"),
        ("$format=", "atom"),
        ("$format=json", "json"),
        ("format=json", "json"),
        ("$format=atom&format=json", "atom"),
        ("jsonp=cb", "json"),
        ("$format=atom&jsonp=alert(1)", "atom"),
        ("output=xml&$format=json", "json"),
        ("output=json", "atom"),
    ],
)
def test_the_form_of_an_answer(request_: str, form: str, shops: Queries) -> None:
    assert shops.read(f"FourthCoffeeShops?$top=1&{request_}").format == form


@pytest.mark.parametrize(
    ("segment", "id_"),
    [
        ("Places('a''b')", "a'b"),
        ("Places('a'b')", "a'b"),
        ("Places(%27a%27%27b%27)", "a'b"),
        ("Places('a%2Fb')", "a/b"),
        ("Places('a b')", "a b"),
        ("Places('a%20b')", "a b"),
        ("Places('a+b')", "a+b"),
        ("Places('a%2Bb')", "a+b"),
        ("Places('a%25b')", "a%b"),
        ("Places('100%2525')", "100%25"),
        ("Places('%C3%BC')", "ü"),
        ("places('Ü')", "ü"),
        ("Places('a(b)')", "a(b)"),
        ("Places('''')", "'"),
        ("Places(x)", "x"),
        ("Places('X')", "X"),
        ("Places('x')", "x"),
        ("Places(A B)", "a b"),
    ],
)
def test_one_entity_by_its_id(segment: str, id_: str, places: Queries) -> None:
    answer = places.ask(f"{segment}?$format=json")
    assert answer.status == 200, answer.body
    entity = json.loads(answer.body)["d"]
    assert entity["Id"] == id_
    # The link leads to the same entity.
    path = entity["__metadata"]["uri"].split(f"/{places.name}/")[1]
    assert json.loads(places.ask(f"{path}?$format=json").body)["d"]["Id"] == id_


@pytest.mark.parametrize(
    "segment", ["Places()", "Places('')", "Places('none')", "Places('a/b')", "Places('a'b", "Other"]
)
def test_what_is_not_there_is_not_found(segment: str, places: Queries) -> None:
    assert places.ask(segment).status == 404


def test_several_ids_with_quotes_and_slashes(places: Queries) -> None:
    assert places.read("Places?$filter=Id in ('a''b','a/b','a b','none')").ids == ["a%20b", "a''b", "a%2Fb"]


def test_one_entity_ignores_what_only_lists_have(shops: Queries) -> None:
    answer = shops.ask("FourthCoffeeShops('-8051')?$filter=nonsense&$top=-1&spatialFilter=x&$orderby=y&$inlinecount=z")
    assert answer.status == 200
    assert b"<entry" in answer.body


def test_a_request_of_many_ids_fits(shops: Queries) -> None:
    ids = ",".join(f"'{'x' * 50}{number}'" for number in range(250))
    assert shops.read(f"FourthCoffeeShops?$filter=entityId in ({ids},'-8051')").ids == ["-8051"]


def test_queries_are_never_taken_from_a_cache(served: LiveServer, shops: Queries) -> None:
    assert served.port
    answer = shops.ask("FourthCoffeeShops?$top=1")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
