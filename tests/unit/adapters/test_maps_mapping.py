"""Azure Maps' batches as JSON: what is sent, and answers of which nothing is taken for granted."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.maps.mapping import MalformedAnswerError, batch_body, parse_batch, parse_item
from adapters.model.geocoding import BoundingBox, ForwardItem, ItemError, Place, PlacePoint, ReverseItem

GEOMETRY = {"type": "Point", "coordinates": [20.5, 10]}
MEMBERS = """
error code message features geometry coordinates bbox properties address adminDistricts name shortName countryRegion ISO
geocodePoints usageTypes calculationMethod matchCodes
""".split()  # noqa: SIM905  names of members
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(MEMBERS),
            inner,
            max_size=6,
        )
    ),
    max_leaves=25,
)


def feature(**members: Any) -> dict[str, Any]:
    return {"features": [{"geometry": GEOMETRY} | members]}


def test_items_are_written_without_what_is_not_given() -> None:
    assert batch_body([ForwardItem("a"), ForwardItem("", "b", "c", "d", "e", "f", "g", "US", 5)]) == {
        "batchItems": [
            {"query": "a", "top": 1},
            {
                "addressLine": "b",
                "locality": "c",
                "adminDistrict": "d",
                "adminDistrict2": "e",
                "adminDistrict3": "f",
                "postalCode": "g",
                "countryRegion": "US",
                "top": 5,
            },
        ]
    }


def test_coordinates_are_written_longitude_first() -> None:
    assert batch_body([ReverseItem(10, 20), ReverseItem(1, 2, ("Address",))]) == {
        "batchItems": [{"coordinates": [20, 10]}, {"coordinates": [2, 1], "resultTypes": ["Address"]}]
    }


@pytest.mark.parametrize(
    "document", [None, [], "x", {}, {"batchItems": None}, {"batchItems": {}}, {"batchItems": [{}]}]
)
def test_an_answer_without_an_answer_for_each_item_is_refused(document: object) -> None:
    with pytest.raises(MalformedAnswerError):
        parse_batch(document, 2)


def test_answers_come_in_the_order_of_the_items() -> None:
    document = {"batchItems": [feature(), {"error": {"code": "x", "message": "No."}}, {"features": []}]}
    assert parse_batch(document, 3) == [(Place(10, 20.5),), ItemError("No.", is_of_server=False), ()]


@pytest.mark.parametrize(
    "item",
    [
        None,
        {},
        {"features": None},
        {"features": [None, {}, {"geometry": None}, {"geometry": {"coordinates": None}}]},
        {"features": [{"geometry": {"coordinates": pair}} for pair in ([], [1], [None, 1], ["1", 2], [True, 1])]},
        {"features": [{"geometry": {"coordinates": pair}} for pair in ([0, 91], [181, 0], [1e400, 0], [10**400, 0])]},
    ],
)
def test_a_feature_without_a_location_counts_as_none(item: object) -> None:
    assert parse_item(item) == ()


@pytest.mark.parametrize(
    ("members", "place"),
    [
        ({"bbox": [1, 2, 3, 4]}, {"box": BoundingBox(1, 2, 3, 4)}),
        ({"bbox": [1, 2, 3]}, {}),
        ({"bbox": [1, 2, 3, 4, 5]}, {}),
        ({"bbox": [1, 2, None, 4]}, {}),
        (
            {"properties": {"matchCodes": ["Good", None, "", 1, "UpHierarchy"]}},
            {"match_codes": ("Good", "UpHierarchy")},
        ),
        ({"properties": {"address": {"countryRegion": {"iso": "DK"}}}}, {"country_code": "DK"}),
        (
            {"properties": {"geocodePoints": [None, {"geometry": GEOMETRY, "usageTypes": None}]}},
            {"points": (PlacePoint(10, 20.5, "", ()),)},
        ),
    ],
)
def test_members_may_be_absent_null_or_of_another_type(members: dict[str, Any], place: dict[str, Any]) -> None:
    assert parse_item(feature(**members)) == (Place(10, 20.5, **place),)


@pytest.mark.parametrize(
    ("code", "is_of_server"),
    [("500", True), (503, True), ("InternalServerError", True), ("400 BadRequest", False), ("", False), (None, False)],
)
def test_an_error_is_the_servers_by_its_code(code: object, *, is_of_server: bool) -> None:
    assert parse_item({"error": {"code": code, "message": "No."}}) == ItemError("No.", is_of_server)


@pytest.mark.parametrize("error", ["400", {"code": "400"}, {"code": "400", "message": None}, []])
def test_an_error_is_never_its_code_alone(error: object) -> None:
    answer = parse_item({"error": error})
    assert isinstance(answer, ItemError)
    assert "400" not in answer.message
    assert answer.message.endswith(".")


def test_an_errors_message_is_one_line_cut_and_without_a_key() -> None:
    key = "aB3_-" * 8
    answer = parse_item({"error": {"message": f"The key {key} is\r\n not valid. " + "More words. " * 100}})
    assert isinstance(answer, ItemError)
    assert answer.message.startswith("The key ... is not valid. More")
    assert len(answer.message) == 300


@given(JSON)
def test_any_json_has_an_answer(item: object) -> None:
    answer = parse_item(item)
    assert isinstance(answer, ItemError) or all(isinstance(one, Place) for one in answer)
