"""Sections 1, 2.4 and 2.6 of the query contract: which entities a query finds, their distances and their order."""

from collections.abc import Iterable
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


def _has_first(answer: ParsedAnswer) -> bool:
    return any(_own_id(answer, each) == answer.source.id for each in answer.entities)


def _own_id(answer: ParsedAnswer, entity: ParsedEntity) -> str | None:
    found = entity.find(answer.source.key) if answer.source.key else None
    written = "" if found is None else found.written
    return answer.source.id if found is None else written if answer.is_atom else written[1:-1]


rule("q1.list", "Without a filter, all entities are listed, also after an empty parameter.", answers(P.FIND_ALL))(
    lambda answer: "no entity is listed" if not answer.entities else ""
)
rule("q1.one", "An entity is found by its id, in both formats.", answers(P.FIND_ONE))(
    lambda answer: len(answer.entities) == 1 and _has_first(answer)
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
    return len(answer.entities) == FULL_PAGE or _has_first(answer) or "the entity in its middle is missing"


@rule("q1.filter", "entityId in $filter is the key.", answers(P.FIND_EQUAL))
def _filter(answer: ParsedAnswer) -> bool:
    ids = {(_own_id(answer, each) or "").lower() for each in answer.entities}
    return ids == {answer.source.id.lower()} and _has_first(answer)


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


def _counts_agree(recording: Recording) -> Iterable[Observation]:
    """`$top` does not change the count, unless a new version is published during the run."""
    first = {each.source.url: each for each in _parsed(recording, P.FIND_FIRST)}
    for each in _parsed(recording, P.FIND_ALL, P.FIND_PAST_END):
        other = first.get(each.source.url, each)
        wrong = "" if str(each.count) == str(other.count) else "the count differs from that of the first page"
        yield Observation(each.exchange, each.show(), wrong)


def _pages(recording: Recording) -> Iterable[Observation]:
    """The page behind the first two is the second half of the first four."""
    whole = {each.source.url: each for each in _parsed(recording, P.FIND_ALL) if not each.is_atom}
    for each in _parsed(recording, P.FIND_NEXT):
        ids = whole[each.source.url].ids[PAGE:] if each.source.url in whole else each.ids
        yield Observation(
            each.exchange, each.show(), "" if ids == each.ids else "it overlaps the page before or misses"
        )


def _formats_agree(recording: Recording) -> Iterable[Observation]:
    """Both formats have the same entities in the same order."""
    in_json = {(each.exchange.request.purpose, each.source.url): each for each in _both(recording) if not each.is_atom}
    for each in _both(recording):
        other = in_json.get((each.exchange.request.purpose, each.source.url), each)
        if each.is_atom:
            names = [[one.name for one in entity.properties] for entity in each.entities]
            is_same = other.ids == each.ids and names == [
                [one.name for one in entity.properties] for entity in other.entities
            ]
            yield Observation(each.exchange, each.show(), "" if is_same else "JSON has other entities or properties")


def _both(recording: Recording) -> Iterable[ParsedAnswer]:
    return _parsed(recording, P.FIND_ALL, P.FIND_ONE, P.FIND_NEAR)


def _parsed(recording: Recording, *purposes: Purpose) -> Iterable[ParsedAnswer]:
    return filter(None, map(recording.answer_of, recording.of(*purposes)))


add("q1.counts-agree", "The count is the same for each page.", _counts_agree)
add("q1.pages", "Pages neither overlap nor miss.", _pages)
add("q2.2.formats-agree", "JSON and Atom have the same entities.", _formats_agree)
rule("q1.past-end", "$skip past the end is an empty list.", answers(P.FIND_PAST_END))(
    lambda answer: answer.members.get("results") == []
)
rule("q1.case", "Letter case changes nothing in a path; answers have the stored spelling.", answers(P.FIND_CASE))(
    url_fault
)
rule("q1.empty-segments", "Empty segments of a path are dropped.", answers(P.FIND_EMPTY_SEGMENT))(url_fault)
rule(
    "q1.parameter-case",
    "Letter case and encoding change nothing in a parameter's name; coordinates may be quoted.",
    answers(P.FIND_PARAMETER_CASE),
)(lambda answer: len(answer.entities) == 1)


def _haversine(one: tuple[float, float], other: tuple[float, float]) -> float:
    (latitude, longitude), (latitude2, longitude2) = (tuple(map(radians, each)) for each in (one, other))
    part = sin((latitude2 - latitude) / 2) ** 2
    part += cos(latitude) * cos(latitude2) * sin((longitude2 - longitude) / 2) ** 2
    return 2 * EARTH * asin(min(1.0, sqrt(part)))


def _distance(answer: ParsedAnswer, entity: ParsedEntity) -> float | None:
    """Kilometres from the first entity, by the printed coordinates."""
    latitude, longitude = entity.number("Latitude"), entity.number("Longitude")
    if latitude is None or longitude is None:
        return None
    return _haversine((float(answer.source.latitude), float(answer.source.longitude)), (latitude, longitude))


@rule("q2.4.distance", "__Distance is the haversine on 6378.135 km, in km.", forms(P.FIND_NEAR, P.FIND_IN_BOX))
def _distance_is_right(answer: ParsedAnswer) -> Verdict:
    for each in answer.entities:
        distance, expected = each.number("__Distance"), _distance(answer, each)
        if distance is None:
            return "__Distance should be a number"
        # The middle of a box at an edge of the map is another point.
        is_near = answer.exchange.request.purpose is P.FIND_NEAR
        if is_near and expected is not None and abs(distance - expected) > KILOMETRES + 1e-4 * expected:
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
    ids = [_own_id(answer, each) or "" for each in answer.entities]
    return ids == sorted(ids)
