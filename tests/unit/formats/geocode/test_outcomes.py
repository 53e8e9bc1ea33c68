"""What becomes of a row by the answer to it (geocode.md, 4.4)."""

from typing import Any

import pytest

from adapters.model.geocoding import AdminDistrict, ForwardItem, ItemError, Place, ReverseItem
from proxy.formats.geocode.outcomes import Outcome, decide_outcome
from proxy.formats.geocode.requests import Row, build_request

MICHIGAN = Place(
    42.5, -83.5, "Troy, MI", "PopulatedPlace", "Medium", districts=(AdminDistrict("Michigan", "MI"),),
    country="United States", country_code="US",
)  # fmt: skip
FRANCE = Place(48.5, 3.5, "Troyes", "Address", "High", country="France", country_code="FR")
NOTHING = "No location was found for this request."
NO_TYPE = "No location of the entity types asked for was found."
NOT_STRICT = "No location was found in the country or region and administrative district asked for."
NOT_SURE = "No location was found with the confidence asked for."


def outcome(answer: Any, **given: str) -> Outcome:
    request = build_request({"Query": "Troy"} | given if "Latitude" not in given else given)
    return decide_outcome(Row(request.question, request.selection, request.fault, ()), answer)


def test_the_best_places_are_the_rows() -> None:
    assert outcome((MICHIGAN, FRANCE)) == Outcome((MICHIGAN,))
    assert outcome((MICHIGAN, FRANCE), MaxResults="2") == Outcome((MICHIGAN, FRANCE))


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        ((), "BadRequest", NOTHING),
        (ItemError("The country is wrong.", is_of_server=False), "BadRequest", "The country is wrong."),
        (ItemError("Try later.", is_of_server=True), "ServerError", "Try later."),
        (None, "ServerError", "The request was not answered."),
    ],
)
def test_a_row_without_a_place_has_failed(answer: Any, status: str, reason: str) -> None:
    assert outcome(answer) == Outcome(status=status, reason=reason)


@pytest.mark.parametrize(("least", "places"), [("low", 2), ("Medium", 2), ("HIGH", 1), ("best", 2)])
def test_a_confidence_is_filtered_here(least: str, places: int) -> None:
    assert len(outcome((MICHIGAN, FRANCE), MinimumConfidence=least, MaxResults="5").places) == places


@pytest.mark.parametrize(
    ("country", "district", "fits"),
    [
        ("US", "MI", True),
        ("usa", "michigan", True),
        ("United States", "", True),
        ("", "MI", True),
        ("", "WA", False),
        ("France", "", False),
        ("Ruritania", "", False),
        ("", "", True),
    ],
)
def test_a_strict_match_compares_country_and_district(country: str, district: str, *, fits: bool) -> None:
    given = {"StrictMatch": "true", "CountryRegion": country, "AdminDistrict": district}
    found = outcome((MICHIGAN,), **{name: value for name, value in given.items() if value})
    assert found == (Outcome((MICHIGAN,)) if fits else Outcome(status="BadRequest", reason=NOT_STRICT))


def test_a_country_that_no_table_knows_is_compared_by_its_name() -> None:
    place = FRANCE._replace(country="Ruritania", country_code="")
    assert outcome((place,), StrictMatch="1", CountryRegion="ruritania").places == (place,)


def test_types_that_can_not_be_asked_for_are_filtered_here() -> None:
    given = {"Latitude": "1", "Longitude": "2", "IncludeEntityTypes": "park,address"}
    assert outcome((MICHIGAN, FRANCE), **given).places == (FRANCE,)
    assert outcome((MICHIGAN,), **given).reason == NO_TYPE


def test_the_first_filter_that_leaves_nothing_gives_the_reason() -> None:
    given = {"StrictMatch": "true", "CountryRegion": "France", "MinimumConfidence": "High"}
    assert outcome((MICHIGAN,), **given).reason == NOT_STRICT
    assert outcome((MICHIGAN,), MinimumConfidence="High").reason == NOT_SURE


@pytest.mark.parametrize(
    ("culture", "language"),
    [
        ("", "en-US"), ("en-gb", "en-gb"), ("fi", "fi"), ("zh-Hant-TW", "zh-Hant-TW"), ("fi_FI", "en-US"),
        ("en US", "en-US"), ("e", "en-US"), ("en-", "en-US"), ("en-US\r\nX: y", "en-US"), ("en" + "-ab" * 50, "en-US"),
    ],
)  # fmt: skip
def test_a_culture_that_is_no_language_tag_counts_as_english(culture: str, language: str) -> None:
    question = build_request({"Query": "q", "Culture": culture} if culture else {"Query": "q"}).question
    assert question is not None
    assert question.language == language


@pytest.mark.parametrize(
    ("country", "code"),
    [
        ("US", "US"), ("usa", "US"), ("U.S.A.", "US"), ("United States of America", "US"), ("UK", "GB"),
        ("england", "GB"),
        ("Great  Britain", "GB"), ("Scotland", "GB"), ("Wales", "GB"), ("Holland", "NL"), ("Russia", "RU"),
        ("Danmark", "DK"),
        ("South Korea", "KR"), ("deutschland", "DE"),
        ("CÔTE D\N{RIGHT SINGLE QUOTATION MARK}IVOIRE", "CI"),
        ("Cote d'Ivoire", "CI"), ("Espana", "ES"),
        ("Österreich", "AT"), ("Trinidad & Tobago", "TT"), ("DEU", "DE"), (" Finland ", "FI"),
    ],
)  # fmt: skip
def test_countries_are_known_as_people_write_them(country: str, code: str) -> None:
    question = build_request({"Locality": "x", "CountryRegion": country}).question
    assert question is not None
    assert question.item == ForwardItem(locality="x", country=code)


def test_a_country_that_no_table_knows_makes_one_query_of_the_parts_in_their_order() -> None:
    names = ["AddressLine", "Locality", "AdminDistrict2", "AdminDistrict", "PostalCode", "PostalTown"]
    question = build_request(dict(zip(names, "abcdef", strict=True)) | {"CountryRegion": "Ruritania"}).question
    assert question is not None
    assert question.item == ForwardItem("a, b, c, d, e, f, Ruritania")


def test_reverse_rows_have_filters_too() -> None:
    request = build_request({"Latitude": "1", "Longitude": "2", "MinimumConfidence": "high", "MaxResults": "3"})
    assert request.question is not None
    assert request.question.item == ReverseItem(1, 2)
    assert (request.selection.most, request.selection.confidence) == (3, 3)
