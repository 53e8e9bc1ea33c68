"""An entity type: the name and the properties of a data source's entities."""

import json
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

_MAX_MESSAGE_LENGTH = 2_000
"""A message may repeat text of a file, and goes into one property of a row."""


class InvalidDataError(Exception):
    """The whole load can't be used. The text is a message for its sender: cut, in printable characters."""

    def __init__(self, text: str) -> None:
        shown = text[:_MAX_MESSAGE_LENGTH]
        super().__init__("".join(character if character.isprintable() else " " for character in shown))


class EdmType(StrEnum):
    """The types of properties, by the names that the text formats and `$metadata` give them."""

    STRING = "Edm.String"
    INT64 = "Edm.Int64"
    BOOLEAN = "Edm.Boolean"
    DOUBLE = "Edm.Double"
    DATETIME = "Edm.DateTime"
    GEOGRAPHY = "Edm.Geography"


# A date is 100 ns ticks (adapters.model.ticks) and a geography WKB, so that no value is rounded.
ARROW = {
    EdmType.STRING: pa.string(),
    EdmType.INT64: pa.int64(),
    EdmType.BOOLEAN: pa.bool_(),
    EdmType.DOUBLE: pa.float64(),
    EdmType.DATETIME: pa.int64(),
    EdmType.GEOGRAPHY: pa.binary(),
}


@dataclass(frozen=True, slots=True)
class Property:
    """One property of an entity type."""

    name: str
    type: EdmType


@dataclass(frozen=True, slots=True)
class EntityType:
    """Name, properties in their order, and the name of the one that is the primary key."""

    name: str
    properties: tuple[Property, ...]
    key: str

    def arrow(self) -> pa.Schema:
        """The schema of this type's record batches; every column may hold nulls, which stand for missing values."""
        return pa.schema([pa.field(property_.name, ARROW[property_.type]) for property_ in self.properties])

    def find(self, name: str) -> int | None:
        """The index of a property, whatever the letter case of its name; None if there is none."""
        names = [property_.name.lower() for property_ in self.properties]
        return names.index(name.lower()) if name.lower() in names else None

    def geography(self) -> int | None:
        """The index of the geography property; None if there is none."""
        types = [property_.type for property_ in self.properties]
        return types.index(EdmType.GEOGRAPHY) if EdmType.GEOGRAPHY in types else None

    def to_json(self) -> str:
        """A text for one table property, below 32,000 characters for any entity type that the rules allow."""
        properties = {property_.name: property_.type.removeprefix("Edm.") for property_ in self.properties}
        return json.dumps({"name": self.name, "key": self.key, "properties": properties}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "EntityType":
        """Parses the text of `to_json`.

        Raises:
            ValueError: the text is something else.
        """
        try:
            read = json.loads(text)
            properties = tuple(Property(name, EdmType(f"Edm.{type_}")) for name, type_ in read["properties"].items())
            return cls(str(read["name"]), properties, str(read["key"]))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("not an entity type") from error
