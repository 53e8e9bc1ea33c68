"""The rules that a schema has to keep (write-side contract, "Load input")."""

import re
from collections import Counter
from dataclasses import dataclass

from proxy.formats.columns.buffers import quote_value
from proxy.formats.limits import LONGEST_NAME, MOST_PROPERTIES
from proxy.formats.schema import EdmType, EntityType, InvalidDataError, Property

DELETE = "__deleteEntity"
LATITUDE = "Latitude"
LONGITUDE = "Longitude"

_PROPERTY_NAME = re.compile(r"(?!__)[A-Za-z_][A-Za-z0-9_]*")
_ENTITY_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class DeclaredSchema:
    """A schema as a file states it: it may hold the deletion mark, and its keys may be none or several.

    `finite` says that INF and NaN, which XML schema has, are no numbers in this format.
    """

    name: str
    properties: tuple[Property, ...]
    keys: tuple[str, ...]
    finite: bool = False


def entity_type(declared: DeclaredSchema, *, incremental: bool) -> EntityType:
    """The entity type that a file's schema declares: without the deletion mark, with a place for the location.

    Raises:
        UnusableError: the schema breaks a rule.
    """
    _check_name(declared.name, _ENTITY_NAME, "the entity type's name", "letters, digits, _ and -")
    kept = tuple(property_ for property_ in declared.properties if not is_mark(property_))
    if len(kept) < len(declared.properties):
        _check_mark([property_ for property_ in declared.properties if is_mark(property_)], incremental=incremental)
    for property_ in kept:
        _check_name(property_.name, _PROPERTY_NAME, "the property name", "letters, digits and _")
    _check_properties(kept)
    key = _key(declared.keys, kept)
    if len(kept) > 1 or kept == declared.properties:  # a list of ids to delete needs no place
        _check_location(kept)
    return EntityType(declared.name, _located(kept), key)


def is_mark(property_: Property) -> bool:
    """Whether this column is no property but says which entities to delete."""
    return property_.name.lower() == DELETE.lower()


def _check_name(name: str, allowed: re.Pattern[str], what: str, characters: str) -> None:
    if len(name) > LONGEST_NAME:
        raise InvalidDataError(f"{what} {name[:LONGEST_NAME]}... is longer than {LONGEST_NAME} characters")
    if allowed.fullmatch(name) is None:
        raise InvalidDataError(
            f"{what} {quote_value(name)} is not of {characters}, starting with a letter or a single _"
        )


def _check_mark(marks: list[Property], *, incremental: bool) -> None:
    if not incremental:
        raise InvalidDataError(f"{DELETE} is for incremental loads only")
    if len(marks) > 1:
        raise InvalidDataError(f"the property {DELETE} stands twice in the schema")
    if marks[0].type is EdmType.GEOGRAPHY:
        raise InvalidDataError(f"{DELETE} can't be of type {EdmType.GEOGRAPHY}")


def _check_properties(properties: tuple[Property, ...]) -> None:
    counted = Counter(property_.name.lower() for property_ in properties)
    for property_ in properties:
        if counted[property_.name.lower()] > 1:
            raise InvalidDataError(
                f"the property {property_.name} stands twice in the schema; letter case is no difference"
            )
    if len(counted.keys() - {LATITUDE.lower(), LONGITUDE.lower()}) > MOST_PROPERTIES:
        raise InvalidDataError(
            f"the schema has more than {MOST_PROPERTIES} properties beside {LATITUDE} and {LONGITUDE}"
        )
    if sum(property_.type is EdmType.GEOGRAPHY for property_ in properties) > 1:
        raise InvalidDataError(f"the schema has more than one property of type {EdmType.GEOGRAPHY}")
    for property_ in properties:
        if property_.name.lower() in {LATITUDE.lower(), LONGITUDE.lower()} and property_.type is not EdmType.DOUBLE:
            raise InvalidDataError(f"{property_.name} has to be of type {EdmType.DOUBLE}, not {property_.type}")


def _check_location(properties: tuple[Property, ...]) -> None:
    names = {property_.name.lower() for property_ in properties}
    missing = [name for name in (LATITUDE, LONGITUDE) if name.lower() not in names]
    if missing and all(property_.type is not EdmType.GEOGRAPHY for property_ in properties):
        raise InvalidDataError(
            f"the schema has no {' and no '.join(missing)}: it has to name {LATITUDE} and {LONGITUDE} "
            f"({EdmType.DOUBLE}), or a property of type {EdmType.GEOGRAPHY}"
        )


def _key(keys: tuple[str, ...], properties: tuple[Property, ...]) -> str:
    if len(keys) != 1:
        raise InvalidDataError(f"the schema names {len(keys) or 'no'} primary keys; it has to name one")
    for property_ in properties:
        if property_.name.lower() == keys[0].lower():
            if property_.type is not EdmType.STRING:
                raise InvalidDataError(f"the primary key {property_.name} has to be of type {EdmType.STRING}")
            return property_.name
    raise InvalidDataError(f"the primary key {keys[0][:LONGEST_NAME]!r} is no property of the schema")


def _located(properties: tuple[Property, ...]) -> tuple[Property, ...]:
    """Latitude and Longitude are stored with every geography, whether the schema names them or not."""
    if all(property_.type is not EdmType.GEOGRAPHY for property_ in properties):
        return properties
    names = {property_.name.lower() for property_ in properties}
    missing = [name for name in (LATITUDE, LONGITUDE) if name.lower() not in names]
    return properties + tuple(Property(name, EdmType.DOUBLE) for name in missing)
