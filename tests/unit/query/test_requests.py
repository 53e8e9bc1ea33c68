"""What a request says in its path and its options, and what is refused (query-api.md, sections 1.1, 1.2 and 1.4)."""

import pytest

from proxy.query.conditions import Comparison, Operator
from proxy.query.errors import QueryError
from proxy.query.query import DISTANCE, Distance, Intersection, OrderKey, Query
from proxy.query.request import parse_request, split_segment
from proxy.query.response_form import Callback, ResponseForm, ResponseFormat, find_callback
from tests.unit.query.samples import CREATED, IS_OPEN, KEY, NAME, SCHEMA, SEATS, queried, requested

NEARBY = "nearby(1,2,3)"
JSON = ResponseForm(ResponseFormat.JSON)


@pytest.mark.parametrize(
    ("segment", "parts"),
    [
        ("Stores", ("Stores", None)),
        ("Stores('a')", ("Stores", "a")),
        ("Stores(a)", ("Stores", "a")),
        ("Stores('O''Neil')", ("Stores", "O'Neil")),
        ("Stores('O'Neil')", ("Stores", "O'Neil")),
        ("Stores('')')", ("Stores", "')")),
        ("Stores('a(b)c')", ("Stores", "a(b)c")),
        ("Stores('a/b c')", ("Stores", "a/b c")),
        ("Stores()", ("Stores", "")),
        ("Stores('')", ("Stores", "")),
        ("Stores('a", ("Stores('a", None)),
        ("Stores('a')x", ("Stores('a')x", None)),
    ],
)
def test_an_id_stands_between_the_first_and_the_last_parenthesis(segment: str, parts: tuple[str, str | None]) -> None:
    assert split_segment(segment) == parts


def test_of_a_single_entity_the_lists_parameters_do_not_count() -> None:
    query = queried(
        "Stores('a')", _filter="broken", _top="-1", _skip="x", _orderby="Nothing", spatialFilter="x", _select="Name"
    )
    assert query == Query(entity_id="a", members=(NAME,))


def test_a_request_without_parameters_asks_for_everything() -> None:
    assert queried() == Query(members=SCHEMA.properties, top=25)
    assert not requested().is_staging
    assert requested().form == ResponseForm()


def test_an_empty_value_is_an_absent_one() -> None:
    names = ("$filter", "$select", "$orderby", "$top", "$skip", "$inlinecount", "$format", "jsonp", "spatialfilter")
    assert parse_request("Stores", dict.fromkeys((*names, "", "isstaging", "jsonso"), "")) == requested()
    assert queried(_filter=" ").condition is None


def test_unknown_parameters_are_ignored() -> None:
    assert requested(clientApi="SDSToolkit", _="123", callback="x", avoid="x", output="json", o="?") == requested()


@pytest.mark.parametrize(
    ("text", "top"),
    [("1", 1), (" 7 ", 7), ("250", 250), ("251", 250), ("100000", 250), ("0", 250), ("000", 250), ("9" * 9_999, 250)],
)
def test_top_is_at_most_250_and_0_is_250(text: str, top: int) -> None:
    assert requested(_top=text).top == top


@pytest.mark.parametrize(("text", "skip"), [("0", 0), ("25", 25), ("0025", 25), ("1" + "0" * 18, 10**18)])
def test_skip_is_any_whole_number(text: str, skip: int) -> None:
    assert requested(_skip=text).skip == skip
    assert 0 <= requested(_skip="9" * 9_999).skip < 2**63


@pytest.mark.parametrize("name", ["_top", "_skip"])
@pytest.mark.parametrize("text", ["-1", "1.5", "1e3", "x", "\u0661", "1 2", "0x1"])
def test_a_negative_or_other_number_is_refused(name: str, text: str) -> None:
    with pytest.raises(QueryError, match=f"\\{name.replace('_', '$')} has '{text}'"):
        requested(**{name: text})


@pytest.mark.parametrize(
    ("text", "counted"), [("allpages", True), ("AllPages", True), ("none", False), ("None", False)]
)
def test_the_count_comes_where_it_is_asked_for(text: str, counted: bool) -> None:  # noqa: FBT001  a table's column
    assert queried(_inlinecount=text).is_counted is counted


@pytest.mark.parametrize(("text", "staging"), [("0", False), ("False", False), ("1", True), ("TRUE", True)])
def test_is_staging(text: str, staging: bool) -> None:  # noqa: FBT001  a table's column
    assert requested(isStaging=text).is_staging is staging
    assert requested("Stores('a')", isStaging=text).is_staging is staging


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("_inlinecount", "all", "$inlinecount has 'all'. Allowed: none, allpages"),
        ("isStaging", "2", "isStaging has '2'. Allowed: 0, false, 1, true"),
        ("_format", "xml", "$format has 'xml'. Allowed: atom, json"),
        ("format", "xml", "$format has 'xml'. Allowed: atom, json"),
        ("_orderby", "a,b,c,d", "$orderby has 4 names: 'a,b,c,d'"),
        ("_orderby", "Name down", "$orderby has 'Name down'"),
        ("_orderby", "Name asc desc", "$orderby has 'Name asc desc'"),
        ("_select", "intersection('POINT(1 2') , Name", "can't be read"),
        ("_select", "intersection(POINT(1 2)", "$select has 'POINT(1 2)'"),
        ("_select", "intersection('POINT(1 2)') Name", "$select has 'Name'"),
    ],
)
def test_other_values_are_refused_before_the_schema_is_known(name: str, text: str, shown: str) -> None:
    with pytest.raises(QueryError) as caught:
        requested(**{name: text})
    assert shown in str(caught.value)


@pytest.mark.parametrize(
    ("parameters", "form"),
    [
        ({"_format": "atom"}, ResponseForm()),
        ({"_format": "JSON"}, JSON),
        ({"format": "json"}, JSON),
        ({"format": "json", "_format": "atom"}, ResponseForm()),
        ({"jsonp": "cb"}, ResponseForm(ResponseFormat.JSON, Callback("cb"))),
        ({"jsonp": "cb", "jsonso": "s", "_format": "json"}, ResponseForm(ResponseFormat.JSON, Callback("cb", "s"))),
        ({"jsonso": "s", "_format": "json"}, JSON),
        ({"jsonp": "alert(1)//", "_format": "atom"}, ResponseForm()),
    ],
)
def test_the_form_of_the_answer(parameters: dict[str, str], form: ResponseForm) -> None:
    assert requested(**parameters).form == form


@pytest.mark.parametrize(
    ("form", "type_"),
    [
        (ResponseForm(), "application/atom+xml; charset=utf-8"),
        (JSON, "application/json; charset=utf-8"),
        (ResponseForm(ResponseFormat.JSON, Callback("cb")), "text/javascript; charset=utf-8"),
    ],
)
def test_the_content_type(form: ResponseForm, type_: str) -> None:
    assert form.content_type == type_


@pytest.mark.parametrize("name", ["Microsoft_Maps_Network_QueryAPI_2", "angular.callbacks._0", "a[0].$b", "x" * 128])
def test_callbacks_of_shipped_clients(name: str) -> None:
    assert requested(jsonp=name).form.callback == Callback(name)


@pytest.mark.parametrize("name", ["alert(1)//", "a b", "x" * 129, "a;b", "\u00e9", "cb\n"])
def test_what_is_no_name_of_a_function_is_refused_and_not_repeated(name: str) -> None:
    with pytest.raises(QueryError) as caught:
        requested(jsonp=name)
    assert name not in str(caught.value)
    assert find_callback({"jsonp": name}) is None


def test_an_error_is_wrapped_whatever_else_is_wrong() -> None:
    assert find_callback({"jsonp": "cb", "$format": "xml", "$filter": "("}) == Callback("cb")
    assert find_callback({"jsonp": "cb", "$format": "atom"}) is None
    assert find_callback({}) is None


def test_the_call_has_no_semicolon_and_its_state_is_a_text() -> None:
    assert Callback("cb").wrap(b"{}") == b"cb({})"
    assert Callback("cb", "</\u2028\"'").wrap(b"{}") == b'cb({},"<\\/\\u2028\\"\'")'


def select(text: str, area: str = NEARBY) -> list[str]:
    shown = {Distance: DISTANCE, Intersection: "intersection"}
    return [
        shown.get(type(each), getattr(each, "name", "")) for each in queried(_select=text, spatialFilter=area).members
    ]


ALL = [each.name for each in SCHEMA.properties]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("*", ALL),
        ("", ALL),
        (",", ALL),
        ("name, SEATS", ["Name", "Seats"]),
        ("Seats,Name,,seats", ["Seats", "Name"]),
        ("Seats,*", ["Seats", *(each for each in ALL if each != "Seats")]),
        ("*,Seats", ALL),
        ("entityId,storeID", ["StoreID"]),
        ("*,__Distance", [*ALL, DISTANCE]),
        ("__distance,Name,__DISTANCE", [DISTANCE, "Name"]),
        ("intersection('POINT(1 2)'),Name", ["intersection", "Name"]),
        ("Name, Intersection ( POINT(1 2) ) ,Seats", ["Name", "intersection", "Seats"]),
        ("Name,intersection('POLYGON((0 0,1 0,1 1,0 0))'", ["Name", "intersection"]),
        ("intersection('POLYGON((0 0,1 0,1 1,0 0))',Name", ["intersection", "Name"]),
        ("intersection(POINT(1 2)),Name,intersection(POINT(3 4))", ["intersection", "Name"]),
    ],
)
def test_select_answers_in_the_order_asked_for_each_name_once(text: str, names: list[str]) -> None:
    assert select(text) == names


@pytest.mark.parametrize("area", ["", "intersects('POINT(1 2)')"])
def test_a_distance_without_a_place_to_measure_from_is_absent(area: str) -> None:
    assert select("*,__Distance", area) == ALL
    assert select("__Distance", area) == []
    assert queried("Stores('a')", _select="__Distance,Name", spatialFilter=NEARBY).members == (NAME,)


@pytest.mark.parametrize("area", ["bbox(1,2,3,4)", "nearby('a',5)", "nearRoute('a','b')"])
def test_a_distance_is_there_with_every_other_area(area: str) -> None:
    assert select("__Distance", area) == [DISTANCE]


@pytest.mark.parametrize("text", ["Nothing", "EntityID,_distance", "Name Seats", "intersections", "Name,'Seats'"])
def test_an_unknown_name_in_select_is_refused(text: str) -> None:
    with pytest.raises(QueryError, match=r"\$select names"):
        queried(_select=text)


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("Name", (OrderKey(NAME),)),
        (" name ASC , Seats desc,entityId", (OrderKey(NAME), OrderKey(SEATS, is_descending=True), OrderKey(KEY))),
        ("__distance", (OrderKey(Distance()),)),
        ("IsOpen,,Created", (OrderKey(IS_OPEN), OrderKey(CREATED))),
        ("", ()),
    ],
)
def test_order(text: str, order: tuple[OrderKey, ...]) -> None:
    assert queried(_orderby=text, spatialFilter="bbox(1,2,3,4)").order == order


@pytest.mark.parametrize("text", ["Latitude", "longitude", "Boundary", "Nothing", "__Distance", "Name,__Distance"])
def test_what_can_not_be_sorted_by_is_refused(text: str) -> None:
    with pytest.raises(QueryError, match=r"\$orderby"):
        queried(_orderby=text, spatialFilter="intersects('POINT(1 2)')")


def test_area_and_property_together() -> None:
    query = queried(_filter="Seats gt 5", spatialFilter=NEARBY)
    assert query.condition == Comparison(SEATS, Operator.GT, 5)
    assert query.area is not None
