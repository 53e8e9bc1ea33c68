"""A `$filter` as it is written, before it is bound to a schema: names and literals as texts."""

from dataclasses import dataclass
from enum import Enum

from proxy.query.conditions import Operator, TextFunction


class LiteralKind(Enum):
    """The forms of a literal."""

    TEXT = "a text"
    NUMBER = "a number"
    BOOLEAN = "a Boolean"
    NULL = "null"
    DATE = "a date"


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal: a text or a date without its quotes, a number without its type's suffix, else the word."""

    kind: LiteralKind
    text: str


@dataclass(frozen=True, slots=True)
class Name:
    """The name of a property, in the request's spelling."""

    text: str


Operand = Name | Literal


@dataclass(frozen=True, slots=True)
class Comparison:
    """`operand (eq|ne|gt|ge|lt|le) operand`."""

    left: Operand
    operator: Operator
    right: Operand


@dataclass(frozen=True, slots=True)
class Membership:
    """`operand in (literal, ..)`."""

    operand: Operand
    items: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class TextMatch:
    """`startswith(name, text)` or `endswith(name, text)`."""

    function: TextFunction
    name: Name
    text: str


@dataclass(frozen=True, slots=True)
class Not:
    """`not expression`."""

    operand: "Expression"


@dataclass(frozen=True, slots=True)
class And:
    """At least two terms joined by `and`."""

    operands: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least two terms joined by `or`."""

    operands: tuple["Expression", ...]


Expression = Name | Comparison | Membership | TextMatch | Not | And | Or
"""A Name alone is a Boolean property."""
