"""What becomes of a row, by the answer to its item (geocode.md, 4.4)."""

from collections.abc import Callable
from dataclasses import dataclass

from adapters.model.geocoding import Answer, ItemError, Place
from proxy.formats.geocode.countries import find_country
from proxy.formats.geocode.requests import CONFIDENCES, FIRST, Row, Selection

NOTHING = "No location was found for this request."
NOT_ANSWERED = "The request was not answered."

Filter = tuple[Callable[[Place, Selection], bool], str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Places of a row that succeeded; status and reason of one that failed."""

    places: tuple[Place, ...] = ()
    status: str = "Success"
    reason: str = ""


def decide_outcome(row: Row, answer: Answer | None) -> Outcome:
    """The outcome of a row.

    Args:
        row: the row.
        answer: the answer to its question; None where it has none, or where the row has a fault.
    """
    if row.question is None:
        return Outcome(status="BadRequest", reason=row.fault)
    if answer is None:
        return Outcome(status="ServerError", reason=NOT_ANSWERED)
    if isinstance(answer, ItemError):
        return Outcome(status="ServerError" if answer.is_of_server else "BadRequest", reason=answer.message)
    if not answer:
        return Outcome(status="BadRequest", reason=NOTHING)
    selection = row.selection
    if selection is not FIRST:
        for fits, reason in FILTERS:
            answer = tuple([place for place in answer if fits(place, selection)])
            if not answer:
                return Outcome(status="BadRequest", reason=reason)
    return Outcome(answer[: selection.most])


def _fits_types(place: Place, selection: Selection) -> bool:
    return not selection.types or place.type.lower() in selection.types


def _fits_strictly(place: Place, selection: Selection) -> bool:
    if selection.country and not _is_country(place, selection.country):
        return False
    if not selection.district:
        return True
    names = [name.casefold() for one in place.districts[:1] for name in one if name]
    return selection.district.strip().casefold() in names


def _is_country(place: Place, wanted: str) -> bool:
    code = find_country(wanted)
    if code is not None and code == (place.country_code.upper() or find_country(place.country)):
        return True
    return wanted.strip().casefold() == place.country.casefold()


def _fits_confidence(place: Place, selection: Selection) -> bool:
    return CONFIDENCES.get(place.confidence.lower(), 1) >= selection.confidence


# In the order in which the first that leaves no place gives the reason.
FILTERS: tuple[Filter, ...] = (
    (_fits_types, "No location of the entity types asked for was found."),
    (_fits_strictly, "No location was found in the country or region and administrative district asked for."),
    (_fits_confidence, "No location was found with the confidence asked for."),
)
