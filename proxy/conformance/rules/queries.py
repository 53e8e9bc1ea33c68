"""Sections 1, 2.4 and 2.6 of the query contract: which entities a query finds, their distances and their order."""

from collections.abc import Iterator
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt

from proxy.conformance.exchange import Purpose
from proxy.conformance.parsed_query import ParsedAnswer, ParsedEntity
from proxy.conformance.query_plan import PAGE, RADIUS, bounds, order_property
from proxy.conformance.recording import Recording
from proxy.conformance.rule import Observation, rule
from proxy.conformance.rules.checks import Verdict
from proxy.conformance.rules.query_checks import add, answers, forms
from proxy.conformance.rules.query_json import url_fault

P = Purpose
FULL_PAGE = 250
EARTH = 6378.135  # km
# Half of the last of six decimals, in degrees and in kilometres, twice for two coordinates.
DEGREES, KILOMETRES = 1e-6, 5e-4


def _one(answer: ParsedAnswer) -> Verdict:
    return url_fault(answer) if len(answer.entities) == 1 else "it should be one entity"


rule("q1.list", "Without a filter, all entities are listed, also after an empty parameter.", answers(P.FIND_ALL))(
    lambda answer: "no entity is listed" if not answer.entities else ""
)
rule("q1.one", "An entity is found by its id, in both formats.", answers(P.FIND_ONE))(
    lambda answer: len(answer.entities) == 1 and answer.has_first
)


@rule("q1.nearby", "nearby finds entities within the distance, and the one at its centre.", answers(P.FIND_NEAR))
def _nearby(answer: ParsedAnswer) -> Verdict:
    distances = [_distance(answer, each) for each in answer.entities]
    if any(each is not None and each > RADIUS * (1 + 1e-4) for each in distances):
        return "an entity is farther away"
    return bool(distances) and (distances[0] is None or distances[0] < KILOMETRES or "the nearest is not at the centre")


@rule("q1.bbox", "bbox finds entities within its bounds.", answers(P.FIND_IN_BOX))
def _bbox(answer: ParsedAnswer) -> Verdict:
    south, west, north, east = bounds(answer.source)
    for each in answer.entities:
        latitude, longitude = each.number("Latitude"), each.number("Longitude")
        if latitude is None or longitude is None:
            return "Latitude and Longitude should be numbers"
        is_within = south - DEGREES <= latitude <= north + DEGREES and west - DEGREES <= longitude <= east + DEGREES
        if not is_within:
            return "an entity is outside"
    return len(answer.entities) == FULL_PAGE or answer.has_first or "the entity in its middle is missing"


@rule("q1.filter", "entityId in $filter is the key.", answers(P.FIND_EQUAL))
def _filter(answer: ParsedAnswer) -> bool:
    ids = {(answer.key_of(each) or answer.source.id).lower() for each in answer.entities}
    return ids == {answer.source.id.lower()} and answer.has_first


@rule("q1.select", "$select answers in its order, in the schema's spelling.", answers(P.FIND_SELECTED))
def _select(answer: ParsedAnswer) -> Verdict:
    key = answer.source.key
    for each in answer.entities:
        longitude, found, latitude, *others = [*(one.name for one in each.properties), "", "", ""]
        if (longitude, latitude) != ("Longitude", "Latitude") or any(others) or (key and found != key):
            return f"it should be Longitude, {key or 'the key'}, Latitude"
    return True


@rule("q1.orderby", "$orderby sorts, ascending.", answers(P.FIND_ORDERED))
def _orderby(answer: ParsedAnswer) -> bool | None:
    found = [each.find(order_property(answer.source)) for each in answer.entities]
    numbers = [each.number for each in found if each is not None and each.number is not None]
    return all(one <= other for one, other in pairwise(numbers)) if numbers else None


@rule("q1.full-page", "$top=0 and $top above 250 are a page of 250.", answers(P.FIND_FULL_PAGE))
def _full_page(answer: ParsedAnswer) -> Verdict:
    wanted = min(answer.total or 0, FULL_PAGE)
    return len(answer.entities) == wanted or f"it should have {wanted} entities"


@rule("q1.count", "$inlinecount counts all entities, not those of the page.", answers(P.FIND_FIRST))
def _count(answer: ParsedAnswer) -> bool:
    return answer.total is not None and answer.total >= len(answer.entities) == 1


def _counts_agree(recording: Recording) -> Iterator[Observation]:
    first = {each.source.url: each for each in _parsed(recording, P.FIND_FIRST)}
    for each in _parsed(recording, P.FIND_ALL, P.FIND_PAST_END):
        is_same = str(each.count) == str(first.get(each.source.url, each).count)
        yield Observation(
            each.exchange, each.show(), "" if is_same else "the count differs from that of the first page"
        )


def _pages(recording: Recording) -> Iterator[Observation]:
    """The page behind the first two is the second half of the first four."""
    whole = {each.source.url: each.ids[PAGE:] for each in _parsed(recording, P.FIND_ALL) if not each.is_atom}
    for each in _parsed(recording, P.FIND_NEXT):
        is_next = each.ids == whole.get(each.source.url, each.ids)
        yield Observation(each.exchange, each.show(), "" if is_next else "it overlaps the page before or misses")


def _formats_agree(recording: Recording) -> Iterator[Observation]:
    in_json = dict[tuple[str, str], object]()
    for each in _parsed(recording, P.FIND_ALL, P.FIND_ONE, P.FIND_NEAR):  # JSON first
        request = each.exchange.request.purpose.name, each.source.url
        found = each.ids, [[one.name for one in entity.properties] for entity in each.entities]
        if each.is_atom:
            wrong = "" if found == in_json.get(request, found) else "JSON has other entities or properties"
            yield Observation(each.exchange, each.show(), wrong)
        else:
            in_json[request] = found


def _parsed(recording: Recording, *purposes: Purpose) -> Iterator[ParsedAnswer]:
    return filter(None, map(recording.answer_of, recording.of(*purposes)))


add("q1.counts-agree", "The count is the same for each page.", _counts_agree)
add("q1.pages", "Pages neither overlap nor miss.", _pages)
add("q2.2.formats-agree", "JSON and Atom have the same entities.", _formats_agree)
rule("q1.past-end", "$skip past the end is an empty list.", answers(P.FIND_PAST_END))(
    lambda answer: answer.members.get("results") == []
)
rule("q1.case", "Letter case changes nothing in a path; answers have the stored one.", answers(P.FIND_CASE))(_one)
rule("q1.empty-segments", "Empty segments of a path are dropped.", answers(P.FIND_EMPTY_SEGMENT))(_one)
rule(
    "q1.parameter-case",
    "Letter case and encoding change nothing in a parameter's name; coordinates may be quoted.",
    answers(P.FIND_PARAMETER_CASE),
)(_one)


def _distance(answer: ParsedAnswer, entity: ParsedEntity) -> float | None:
    """The haversine from the first entity in km, by the printed coordinates."""
    found, longitude = entity.number("Latitude"), entity.number("Longitude")
    if found is None or longitude is None:
        return None
    here, there = radians(float(answer.source.latitude)), radians(found)
    east = radians(longitude) - radians(float(answer.source.longitude))
    part = sin((there - here) / 2) ** 2 + cos(here) * cos(there) * sin(east / 2) ** 2
    return 2 * EARTH * asin(sqrt(min(1.0, max(0.0, part))))


@rule("q2.4.distance", "__Distance is the haversine on 6378.135 km, a number of km.", forms(P.FIND_NEAR))
def _distance_is_right(answer: ParsedAnswer) -> Verdict:
    for each in answer.entities:
        distance, expected = each.number("__Distance"), _distance(answer, each)
        if distance is None:
            return "__Distance should be a number"
        if expected is not None and abs(distance - expected) > KILOMETRES + 1e-4 * expected:
            return "it differs from the distance between the coordinates"
    return True


rule("q2.4.no-area", "Without an area, __Distance is absent, not an error.", answers(P.FIND_NEXT))(
    lambda answer: all(each.find("__Distance") is None for each in answer.entities)
)


@rule("q2.6.nearby", "nearby orders by distance.", forms(P.FIND_NEAR))
def _by_distance(answer: ParsedAnswer) -> bool:
    distances = [each.number("__Distance") or 0 for each in answer.entities]
    return all(one <= other + 1e-9 for one, other in pairwise(distances))


@rule("q2.6.id", "Entities stand in the order of their ids, by code points.", forms(P.FIND_ALL, P.FIND_IN_BOX))
def _by_id(answer: ParsedAnswer) -> bool:
    ids = [answer.key_of(each) or "" for each in answer.entities]
    return ids == sorted(ids)
