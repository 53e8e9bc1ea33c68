"""From the request of a row to an item of a batch, with the filters that the geocoder lacks (geocode.md, 2.4, 4.2)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from adapters.model.geocoding import ForwardItem, Item, ReverseItem
from proxy.formats.geocode.countries import find_country
from proxy.formats.geocode.numbers import parse_boolean, parse_number

Given = Mapping[str, str]
"""The values of a request by the last parts of their names, such as Query and AddressLine; none of them empty."""

NO_REQUEST = "To geocode a location, you must specify at least one address field."
NO_REQUEST_IN_TEXT_1 = "Either Query or Address must be specified."
FORMATTED = "The Address.FormattedAddress property must not be specified because it is an output-only property."
BAD_LOCATION = "The location must have a latitude from -90 to 90 and a longitude from -180 to 180."

_ADDRESS = {
    "AddressLine", "AdminDistrict", "CountryRegion", "AdminDistrict2", "District", "Locality", "PostalCode",
    "PostalTown",
}  # fmt: skip
CONFIDENCES = {"low": 1, "medium": 2, "high": 3}
_ITEM_TYPES = {
    name.lower(): name
    for name in (
        "Address", "Neighborhood", "PopulatedPlace", "Postcode1", "AdminDivision1", "AdminDivision2", "CountryRegion",
    )
}  # fmt: skip
"""The entity types that a geocoder takes."""
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*+")
_MAX_LANGUAGE = 100
"""A longer one would not fit into a header."""
_DEFAULT_LANGUAGE = "en-US"
_MOST_RESULTS = 20
_FILTERED_RESULTS = 5
"""Asked for at least where some are filtered out."""
_LATITUDES, _LONGITUDES = 90, 180


class Question(NamedTuple):
    """An item to ask, and the language of its answer (Accept-Language)."""

    item: Item
    language: str


@dataclass(frozen=True, slots=True)
class Selection:
    """Which places of an answer a row gets.

    Attributes:
        most: the number of places, at most.
        types: the entity types that fit, in lower case; all where empty.
        country: the country or region of StrictMatch as given; any where empty.
        district: the administrative district of StrictMatch as given; any where empty.
        confidence: the least rank in CONFIDENCES, 0 for any.
    """

    most: int = 1
    types: frozenset[str] = frozenset()
    country: str = ""
    district: str = ""
    confidence: int = 0


FIRST = Selection()


@dataclass(frozen=True, slots=True)
class Row:
    """One request of a file.

    Attributes:
        question: what to ask; None where the row has a fault.
        selection: which places of the answer count.
        fault: the FaultReason of a row that is not sent, or empty.
        echo: what its output repeats, as the file's renderer wants it.
        with_neighborhood: whether XML shows the neighborhood.
    """

    question: Question | None
    selection: Selection
    fault: str
    echo: tuple[str, ...]
    with_neighborhood: bool = False


class Request(NamedTuple):
    """What a row asks for, without its echo; `is_reverse` also where a location has a fault."""

    question: Question | None
    selection: Selection = FIRST
    fault: str = ""
    is_reverse: bool = False


def build_request(given: Given, no_request: str = NO_REQUEST) -> Request:
    """The request of a row.

    Args:
        given: the values of the row.
        no_request: the fault of a row that asks for nothing.
    """
    if "FormattedAddress" in given:
        return Request(None, fault=FORMATTED)
    if "Query" in given or not _ADDRESS.isdisjoint(given):
        return _build_forward(given)
    if "Latitude" in given or "Longitude" in given:
        return _build_reverse(given)
    return Request(None, fault=no_request)


def _build_forward(given: Given) -> Request:
    most = parse_max_results(given.get("MaxResults", ""))
    confidence = CONFIDENCES.get(given.get("MinimumConfidence", "").strip().lower(), 0)
    is_strict = parse_boolean(given.get("StrictMatch", "")) or False
    top = max(most, _FILTERED_RESULTS) if confidence or is_strict else most
    selection = FIRST
    if most > 1 or confidence:
        selection = Selection(most, confidence=confidence)
    if is_strict:
        selection = Selection(
            most, country=given.get("CountryRegion", ""), district=given.get("AdminDistrict", ""), confidence=confidence
        )
    return Request(Question(_forward_item(given, top), _language(given)), selection)


def _forward_item(given: Given, top: int) -> ForwardItem:
    query = given.get("Query")
    if query is not None:
        return ForwardItem(query, top=top)
    line, locality = given.get("AddressLine", ""), given.get("Locality", "")
    district, postal_code = given.get("AdminDistrict", ""), given.get("PostalCode", "")
    district2 = given.get("AdminDistrict2") or given.get("District", "")
    town, country = given.get("PostalTown", ""), given.get("CountryRegion", "")
    code = find_country(country) if country else ""
    if code is None:
        parts = (line, locality, district2, district, postal_code, town, country)
        return ForwardItem(", ".join(filter(None, parts)), top=top)
    return ForwardItem("", line, locality, district, district2, town, postal_code, code, top)


def _build_reverse(given: Given) -> Request:
    latitude = parse_number(given.get("Latitude", ""))
    longitude = parse_number(given.get("Longitude", ""))
    if latitude is None or longitude is None or abs(latitude) > _LATITUDES or abs(longitude) > _LONGITUDES:
        return Request(None, fault=BAD_LOCATION, is_reverse=True)
    types, filtered = _split_types(given.get("IncludeEntityTypes", ""))
    selection = Selection(
        parse_max_results(given.get("MaxResults", "")),
        types=filtered,
        confidence=CONFIDENCES.get(given.get("MinimumConfidence", "").strip().lower(), 0),
    )
    return Request(Question(ReverseItem(latitude, longitude, types), _language(given)), selection, is_reverse=True)


def _split_types(text: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """The types to ask for, and those to filter by; none to ask for where the geocoder lacks one of the list."""
    names = [name for part in text.split(",") if (name := part.strip().lower())]
    if all(name in _ITEM_TYPES for name in names):
        return tuple(dict.fromkeys(_ITEM_TYPES[name] for name in names)), frozenset()
    return (), frozenset(names)


def parse_max_results(text: str) -> int:
    """The number of results, 1 to 20; 1 for any other text."""
    number = parse_number(text) if text else None
    return int(number) if number is not None and number in range(1, _MOST_RESULTS + 1) else 1


def _language(given: Given) -> str:
    culture = given.get("Culture", _DEFAULT_LANGUAGE)
    return culture if len(culture) <= _MAX_LANGUAGE and _LANGUAGE.fullmatch(culture) else _DEFAULT_LANGUAGE
