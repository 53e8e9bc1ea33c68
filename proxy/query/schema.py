"""An entity type as queries see it. `proxy.formats.schema` has the one of loads, which needs Arrow."""

import json
from dataclasses import dataclass, field
from enum import StrEnum

from proxy.query.errors import QueryError, quote_value

KEY_ALIAS = "entityid"
"""Names the key property where no property has this name (query-api.md, 1.4 and 1.5)."""
LATITUDE, LONGITUDE = "Latitude", "Longitude"


class PropertyType(StrEnum):
    """The types of properties, by their names in a stored schema.

    In a version's columns an Int64 and a DateTime (100 ns ticks since year 1) are `int64`, a Geography is ISO WKB.
    """

    STRING = "String"
    INT64 = "Int64"
    BOOLEAN = "Boolean"
    DOUBLE = "Double"
    DATETIME = "DateTime"
    GEOGRAPHY = "Geography"


@dataclass(frozen=True, slots=True)
class Property:
    """One property of an entity type, spelled as it is stored."""

    name: str
    type: PropertyType

    @property
    def is_coordinate(self) -> bool:
        """Whether it is Latitude or Longitude, which are always there and always show six decimals."""
        return self.name.lower() in {LATITUDE.lower(), LONGITUDE.lower()}


@dataclass(frozen=True, slots=True)
class Schema:
    """Name, properties in their order, and the name of the one that is the primary key."""

    name: str
    properties: tuple[Property, ...]
    key: str
    _by_name: dict[str, Property] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Indexes the properties by their names in lower case."""
        by_name = {each.name.lower(): each for each in self.properties}
        by_name.setdefault(KEY_ALIAS, by_name[self.key.lower()])
        object.__setattr__(self, "_by_name", by_name)

    def find(self, name: str) -> Property | None:
        """The property of a name in any letter case, `entityId` being the key; None where there is none."""
        return self._by_name.get(name.lower())

    def require(self, name: str, parameter: str) -> Property:
        """The property of a name.

        Raises:
            QueryError: there is none; the text names the parameter that has it.
        """
        found = self.find(name)
        if found is None:
            raise QueryError(
                f"The parameter {parameter} names {quote_value(name)}, which is no property of {self.name}. The"
                " data source's $metadata lists them."
            )
        return found

    @property
    def geography(self) -> Property | None:
        """The geography, of which an entity type has at most one."""
        return next((each for each in self.properties if each.type is PropertyType.GEOGRAPHY), None)

    @classmethod
    def from_json(cls, text: str) -> "Schema":
        """Parses the text that is stored beside a version: `{"name": .., "key": .., "properties": {name: type}}`.

        Raises:
            ValueError: the text is something else.
        """
        try:
            read = json.loads(text)
            properties = tuple(Property(name, PropertyType(type_)) for name, type_ in read["properties"].items())
            schema = cls(str(read["name"]), properties, str(read["key"]))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("not an entity type") from error
        for name, type_ in (
            (schema.key, PropertyType.STRING),
            (LATITUDE, PropertyType.DOUBLE),
            (LONGITUDE, PropertyType.DOUBLE),
        ):
            found = schema.find(name)
            if found is None or found.type is not type_:
                raise ValueError(f"an entity type without {name} of type {type_}")
        return schema
