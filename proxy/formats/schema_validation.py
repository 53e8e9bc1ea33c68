"""The rules that a schema has to keep (write-contract.md, "Load input")."""

import re
from collections import Counter
from dataclasses import dataclass

from proxy.formats.columns.buffers import quote_value
from proxy.formats.limits import MAX_NAME_LENGTH, MAX_PROPERTIES
from proxy.formats.schema import EdmType, EntityType, InvalidDataError, Property

DELETE = "__deleteEntity"
LATITUDE = "Latitude"
LONGITUDE = "Longitude"
_LOCATION = {LATITUDE.lower(): LATITUDE, LONGITUDE.lower(): LONGITUDE}

_PROPERTY_NAME = re.compile(r"(?!__)[A-Za-z_][A-Za-z0-9_]*")
_ENTITY_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class DeclaredSchema:
    """A schema as a file declares it: it may hold the deletion mark, and have no key or several.

    `finite`: whether INF and NaN, which XML schema has, are no numbers in the format.
    """

    name: str
    properties: tuple[Property, ...]
    keys: tuple[str, ...]
    finite: bool = False


def build_entity_type(declared: DeclaredSchema, *, incremental: bool) -> EntityType:
    """The entity type that a file's schema declares: without the deletion mark, with properties for the location.

    Raises:
        InvalidDataError: the schema breaks a rule.
    """
    _check_name(declared.name, _ENTITY_NAME, "the entity type's name", "letters, digits, _ and -")
    marks = [property_ for property_ in declared.properties if is_delete_mark(property_)]
    properties = tuple(property_ for property_ in declared.properties if not is_delete_mark(property_))
    if marks:
        _check_mark(marks, incremental=incremental)
    for property_ in properties:
        _check_name(property_.name, _PROPERTY_NAME, "the property name", "letters, digits and _")
    _check_properties(properties)
    key = _find_key(declared.keys, properties)
    names = {property_.name.lower() for property_ in properties}
    missing = [name for name in _LOCATION.values() if name.lower() not in names]
    has_geography = any(property_.type is EdmType.GEOGRAPHY for property_ in properties)
    is_list_of_ids = bool(marks) and len(properties) == 1
    if missing and not has_geography and not is_list_of_ids:
        raise InvalidDataError(
            f"the schema has no {' and no '.join(missing)}: it has to name {LATITUDE} and {LONGITUDE} "
            f"({EdmType.DOUBLE}), or a property of type {EdmType.GEOGRAPHY}"
        )
    # Latitude and Longitude are stored with every geography, whether the schema names them or not.
    added = tuple(Property(name, EdmType.DOUBLE) for name in missing) if has_geography else ()
    return EntityType(declared.name, properties + added, key)


def is_delete_mark(property_: Property) -> bool:
    """Whether this column is no property but marks the entities to delete."""
    return property_.name.lower() == DELETE.lower()


def _check_name(name: str, allowed: re.Pattern[str], subject: str, characters: str) -> None:
    if len(name) > MAX_NAME_LENGTH:
        raise InvalidDataError(f"{subject} {name[:MAX_NAME_LENGTH]}... is longer than {MAX_NAME_LENGTH} characters")
    if allowed.fullmatch(name) is None:
        raise InvalidDataError(
            f"{subject} {quote_value(name)} is not of {characters}, starting with a letter or a single _"
        )


def _check_mark(marks: list[Property], *, incremental: bool) -> None:
    if not incremental:
        raise InvalidDataError(f"{DELETE} is for incremental loads only")
    if len(marks) > 1:
        raise InvalidDataError(f"the property {DELETE} stands twice in the schema")
    if marks[0].type is EdmType.GEOGRAPHY:
        raise InvalidDataError(f"{DELETE} can't be of type {EdmType.GEOGRAPHY}")


def _check_properties(properties: tuple[Property, ...]) -> None:
    counts = Counter(property_.name.lower() for property_ in properties)
    for property_ in properties:
        if counts[property_.name.lower()] > 1:
            raise InvalidDataError(
                f"the property {property_.name} stands twice in the schema; letter case is no difference"
            )
    if len(counts.keys() - _LOCATION.keys()) > MAX_PROPERTIES:
        raise InvalidDataError(
            f"the schema has more than {MAX_PROPERTIES} properties beside {LATITUDE} and {LONGITUDE}"
        )
    if sum(property_.type is EdmType.GEOGRAPHY for property_ in properties) > 1:
        raise InvalidDataError(f"the schema has more than one property of type {EdmType.GEOGRAPHY}")
    for property_ in properties:
        if property_.name.lower() in _LOCATION and property_.type is not EdmType.DOUBLE:
            raise InvalidDataError(f"{property_.name} has to be of type {EdmType.DOUBLE}, not {property_.type}")


def _find_key(keys: tuple[str, ...], properties: tuple[Property, ...]) -> str:
    if len(keys) != 1:
        raise InvalidDataError(f"the schema names {len(keys) or 'no'} primary keys; it has to name one")
    for property_ in properties:
        if property_.name.lower() == keys[0].lower():
            if property_.type is not EdmType.STRING:
                raise InvalidDataError(f"the primary key {property_.name} has to be of type {EdmType.STRING}")
            return property_.name
    raise InvalidDataError(f"the primary key {keys[0][:MAX_NAME_LENGTH]!r} is no property of the schema")
