"""The numbered differences of docs/compatibility.md that are of queries, a test for each number."""

import json
from collections.abc import Iterator

import numpy as np
import pytest
from lxml import etree

from proxy.query.areas import NearRoute, Point
from proxy.query.engine import run_query
from proxy.query.query import Distance, Query
from proxy.query.route import RouteLine
from proxy.query.route_options import parse_route_options
from tests.conftest import StartServer
from tests.support.live import LiveServer
from tests.support.queries import AREAS, Queries, load, start_querying, unwrap
from tests.support.query_answers import ATOM, M
from tests.support.storage import Storage
from tests.unit.formats.loading import xml_of
from tests.unit.query.engine.versions import make_version

SHOP = "FourthCoffeeShops"
THINGS = """Bing Spatial Data Services, 1.0, Things
Id(Edm.String,primaryKey)|Name(Edm.String)|Other(Edm.String)|Seats(Edm.Int64)|Rate(Edm.Double)|IsOpen(Edm.Boolean)|\
Since(Edm.DateTime)|Latitude(Edm.Double)|Longitude(Edm.Double)
a|Alpha|ALPHA|5|9|false|2015-10-29T21:25:09.5000000Z|0|179.9
b|beta|x||1.5|true|2015-10-29T21:25:09Z|0|-179.9
B|gamma|y|3|8|true||10|10
c|Delta|z|3|3|||20|20"""


@pytest.fixture(scope="module")
def things(shared_storage: Storage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Queries]:
    """A data source with values that the contract's do not have."""
    load(shared_storage, THINGS.encode(), "Things")
    with start_querying(shared_storage, tmp_path_factory.mktemp("things") / "files") as server:
        yield Queries(server, "Things")


@pytest.fixture(scope="module")
def areas(served: LiveServer) -> Queries:
    return Queries(served, AREAS)


def test_difference_27_a_page_has_at_most_250_entities_and_none_means_all(
    shared_storage: Storage, things: Queries
) -> None:
    rows = "\n".join(f"{number:03}|1|2" for number in range(300))
    head = "Id(Edm.String,primaryKey)|Latitude(Edm.Double)|Longitude(Edm.Double)"
    load(shared_storage, f"Bing Spatial Data Services, 1.0, Rows\n{head}\n{rows}".encode(), "Rows")
    queries = Queries(things.server, "Rows")
    for top in ("0", "250", "251", "100000"):
        assert len(queries.read(f"Rows?$top={top}").ids) == 250
    assert len(queries.read("Rows").ids) == 25


def test_difference_28_a_shape_may_be_the_world_and_have_many_points(shops: Queries) -> None:
    points = ",".join(f"{-180 + each / 2} 90" for each in range(720))
    assert shops.read(f"{SHOP}?spatialFilter=intersects('POLYGON((-180 -90,180 -90,180 90,{points[:-1]}0,-180 -90))')")
    world = "POLYGON((-180 -90,180 -90,180 90,-180 90,-180 -90))"
    assert len(shops.read(f"{SHOP}?spatialFilter=intersects('{world}')").ids) == 23


def test_difference_29_a_wildcard_combines(things: Queries) -> None:
    filter_ = "startsWith(Name,'al') eq true or not (endsWith(Name,'a')) and Seats gt 1"
    assert things.read(f"Things?$filter={filter_}").ids == ["a"]


def test_difference_30_dates_are_milliseconds(things: Queries) -> None:
    body = things.ask("Things('b')?$format=json").body
    assert rb'"Since":"\/Date(1446153909000)\/"' in body


def test_difference_31_without_azure_maps_addresses_and_routes_are_400(shops: Queries) -> None:
    for area in ("nearby('Seattle',5)", "nearRoute('Seattle','Tacoma')", "nearRoute('47,-122','48,-122')"):
        assert shops.refused(f"{SHOP}?spatialFilter={area}", 400)


def test_difference_32_a_public_source_of_another_account_is_not_found(storage: Storage, start: StartServer) -> None:
    load(storage, THINGS.encode(), "Things", public=True)
    other = {"storage": {"connection_string": storage.connection_string}}
    server = start(storage, accounts={"other": other}, keys={"others": {"account": "other"}})
    Queries(server, "Things").refused("Things", 404, "others")


def test_difference_33_entities_near_a_route_come_along_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The engine takes the line of a route; test_places.py asks for one over HTTP."""
    rows = [{"Id": id_, "latitude": 0.001, "Longitude": at} for id_, at in (("a", 2.0), ("b", 1.0), ("c", 3.0))]
    version = make_version(tmp_path_factory.mktemp("route"), rows)
    line = RouteLine(np.array([0.0, 0.0]), np.array([0.0, 4.0]))
    area = NearRoute(Point(0, 0), Point(0, 4), parse_route_options({}))
    found = run_query(version, Query(members=(Distance(),), area=area), lambda: None, line)
    assert list(found.ids) == ["b", "a", "c"]
    assert list(found.columns[0].values) == pytest.approx([0.111319] * 3, rel=1e-3)


def test_difference_34_a_distance_is_the_same_in_both_formats(shops: Queries) -> None:
    request = f"{SHOP}?spatialFilter=nearby(40.83274904439099,-74.3163299560546935,5)&$select=__Distance&$top=1"
    for form in ("json", "atom"):
        (entity,) = shops.read(f"{request}&$format={form}").entities
        assert float(entity["__Distance"]) == pytest.approx(2.19734077218973, rel=1e-9)


def test_difference_35_an_order_may_be_descending(things: Queries) -> None:
    assert things.read("Things?$orderby=Seats desc").ids == ["a", "B", "c", "b"]


def test_difference_36_sorting_needs_no_filter(things: Queries) -> None:
    assert things.read("Things?$orderby=Name").ids == ["a", "b", "c", "B"]


def test_difference_38_jsonp_is_javascript(things: Queries) -> None:
    answer = things.ask("Things?$format=json&jsonp=cb")
    assert (answer.headers["content-type"], answer.status) == ("text/javascript; charset=utf-8", 200)


def test_difference_39_an_id_that_is_not_there_is_404(things: Queries) -> None:
    assert "no entity" in things.refused("Things('none')", 404)
    assert things.read("Things?$filter=Id in ('none')").ids == []


def test_difference_40_a_list_may_have_more_than_50_ids(things: Queries) -> None:
    ids = ",".join(f"'{number}'" for number in range(60))
    assert things.read(f"Things?$filter=Id in ({ids},'a')").ids == ["a"]


def test_difference_41_a_query_of_nothing_lists_everything(things: Queries) -> None:
    assert things.read("Things").ids == ["B", "a", "b", "c"]


def test_difference_42_format_counts_without_its_dollar(things: Queries) -> None:
    assert things.read("Things?format=json").format == "json"
    assert things.read("Things?format=json&$format=atom").format == "atom"


def test_difference_43_output_is_for_errors_alone(things: Queries) -> None:
    for value in ("xml", "json", "pdf"):
        assert things.read(f"Things?output={value}").format == "atom"
    assert things.ask("Things?output=xml&$top=x").body.startswith(b"<?xml")


def test_difference_44_other_values_are_400(things: Queries) -> None:
    for parameter in ("$format=xml", "$inlinecount=all", "isStaging=2"):
        assert parameter.partition("=")[0] in things.refused(f"Things?{parameter}", 400)


def test_difference_45_an_id_needs_no_quotes(things: Queries) -> None:
    assert things.ask("Things(c)?$format=json").body == things.ask("Things('c')?$format=json").body


def test_difference_46_an_id_matches_exactly_first(things: Queries) -> None:
    for asked, found in (("b", "b"), ("B", "B"), ("A", "a")):
        assert things.read(f"Things('{asked}')").ids == [found]


def test_difference_47_a_distance_is_above_0_and_up_to_1000_km(things: Queries) -> None:
    for kilometres in ("0.0001", "0.1", "1000", "195.75381599999997"):
        assert things.read(f"Things?spatialFilter=nearby(10,10,{kilometres})").ids == ["B"]
    for kilometres in ("0", "-1", "1000.1"):
        things.refused(f"Things?spatialFilter=nearby(10,10,{kilometres})", 400)


def test_difference_48_a_ring_that_crosses_itself_is_made_valid(things: Queries) -> None:
    bow_tie = "POLYGON((9 9,21 21,21 9,9 21,9 9))"
    assert things.read(f"Things?spatialFilter=intersects('{bow_tie}')").ids == ["B", "c"]


def test_difference_49_quotes_or_the_last_parenthesis_may_be_missing(things: Queries) -> None:
    for shape in ("('POINT(10 10)'", "(POINT(10 10))"):
        assert things.read(f"Things?spatialFilter=intersects{shape}").ids == ["B"]
        assert things.read(f"Things?$select=Id,intersection{shape}&$top=1").entities


def test_difference_50_a_box_may_cross_the_180th_meridian(things: Queries) -> None:
    assert things.read("Things?spatialFilter=bbox(-1,179,1,-179)").ids == ["a", "b"]


def test_difference_51_a_page_that_is_no_number_is_400(things: Queries) -> None:
    for parameter in ("$top=-1", "$top=x", "$skip=-1", "$skip=1.5"):
        assert parameter.partition("=")[0] in things.refused(f"Things?{parameter}", 400)


def test_difference_52_an_unknown_name_is_400(things: Queries) -> None:
    for parameter in ("$select=Nothing", "$orderby=Nothing", "$filter=Nothing eq 1"):
        assert "Nothing" in things.refused(f"Things?{parameter}", 400)


def test_difference_53_jsonp_alone_is_json(things: Queries) -> None:
    assert unwrap(things.ask("Things?jsonp=cb"))["d"]["results"]


def test_difference_54_two_properties_compare(things: Queries) -> None:
    assert things.read("Things?$filter=Name eq Other").ids == ["a"]
    assert things.read("Things?$filter=Seats ge Rate").ids == ["c"]
    things.refused("Things?$filter=Name eq Seats", 400)


def test_difference_55_texts_compare_without_regard_to_letter_case(things: Queries) -> None:
    assert things.read("Things?$filter=Name eq 'ALPHA' or Name in ('BETA') or startsWith(Name,'dEL')").ids == [
        "a",
        "b",
        "c",
    ]


def test_difference_56_what_is_no_number_is_null_in_json(shared_storage: Storage, things: Queries) -> None:
    rows = "".join(
        f"<Shops><EntityID>{id_}</EntityID><Rate>{rate}</Rate><Latitude>1</Latitude><Longitude>2</Longitude></Shops>"
        for id_, rate in (("a", "NaN"), ("b", "INF"), ("c", "-INF"), ("d", "1.5"))
    )
    content = xml_of(rows, "Rate:double", "Latitude:double", "Longitude:double")
    load(shared_storage, content, "Rates", form="xml")
    queries = Queries(things.server, "Rates")
    assert [each["Rate"] for each in queries.read("Shops?$format=json").entities] == [None, None, None, "1.5"]
    assert [each["Rate"] for each in queries.read("Shops").entities] == ["NaN", "INF", "-INF", "1.5"]


def test_difference_57_a_fraction_of_a_date_is_shown_in_atom(things: Queries) -> None:
    found = {each["Id"]: each["Since"] for each in things.read("Things?$top=3").entities}
    assert found == {"a": "2015-10-29T21:25:09.5", "b": "2015-10-29T21:25:09", "B": None}


def test_difference_58_atom_has_no_white_space(things: Queries) -> None:
    assert b"> <" not in things.ask("Things").body
    assert b"\n" not in things.ask("Things").body


def test_difference_59_the_count_comes_before_the_entries(things: Queries) -> None:
    feed = etree.fromstring(things.ask("Things?$inlinecount=allpages&$top=1").body)
    assert [each.tag for each in feed][-3:] == [f"{ATOM}updated", f"{M}count", f"{ATOM}entry"]


def test_difference_60_an_error_is_wrapped_under_its_own_status(things: Queries) -> None:
    answer = things.ask("Things?$top=x&jsonp=cb")
    assert (answer.status, unwrap(answer)["statusCode"]) == (400, 400)


def test_difference_61_a_distance_without_its_area_is_absent(things: Queries) -> None:
    for area in ("", "&spatialFilter=intersects('POINT(10 10)')"):
        assert all(list(each) == ["Id"] for each in things.read(f"Things?$select=Id,__Distance{area}").entities)


def test_difference_62_an_empty_intersection_is_null(areas: Queries) -> None:
    request = "Areas?$filter=EntityID eq 'B'&$select=intersection('POINT(100 50)')"
    assert json.loads(areas.ask(f"{request}&$format=json").body)["d"]["results"][0]["__IntersectedGeom"] is None
    assert b'm:type="Edm.Geography" m:null="true" />' in areas.ask(request).body


def test_difference_63_true_comes_first(things: Queries) -> None:
    assert things.read("Things?$orderby=IsOpen&$filter=IsOpen ne null").ids == ["B", "b", "a"]


def test_difference_64_missing_values_come_first(things: Queries) -> None:
    assert things.read("Things?$orderby=Seats").ids == ["b", "B", "c", "a"]
    assert things.read("Things?$orderby=IsOpen&$top=1").ids == ["c"]
