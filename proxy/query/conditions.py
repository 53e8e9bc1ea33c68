"""Conditions on entities: a `$filter` bound to a schema (query-api.md, 1.5). The engine evaluates these alone.

The logic is two-valued: each condition is true or false for each entity, so that Not, And and Or need no third value.
A missing String is `''`; every other type has Missing.
"""

from dataclasses import dataclass
from enum import StrEnum

from proxy.query.schema import Property

Value = str | int | float | bool
"""A literal in the type of its column: str for String, int for Int64 (within 64 bits) and DateTime (100 ns ticks since
year 1), float for Double, bool for Boolean. Texts are as written: the engine lower-cases both sides as Arrow does."""


class Operator(StrEnum):
    """Comparisons. NE holds for a missing value; of the others none does, save between two missing values EQ."""

    EQ = "eq"
    NE = "ne"
    GT = "gt"
    GE = "ge"
    LT = "lt"
    LE = "le"


class TextFunction(StrEnum):
    """The wildcards."""

    STARTS_WITH = "startswith"
    ENDS_WITH = "endswith"


@dataclass(frozen=True, slots=True)
class Constant:
    """True or false for every entity."""

    value: bool


@dataclass(frozen=True, slots=True)
class Missing:
    """The value is missing. The column is no String."""

    column: Property


@dataclass(frozen=True, slots=True)
class Comparison:
    """A column compared with a value. Of Booleans false is less than true."""

    column: Property
    operator: Operator
    value: Value


@dataclass(frozen=True, slots=True)
class ColumnComparison:
    """A column compared with another of the same type, or a number with a number.

    Two missing values are equal; one missing value makes NE true, and all others false.
    """

    left: Property
    operator: Operator
    right: Property


@dataclass(frozen=True, slots=True)
class Membership:
    """The value is one of at least one; a missing value is not."""

    column: Property
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class TextMatch:
    """A String that starts or ends with a text, letter case aside. A missing one is `''`."""

    column: Property
    function: TextFunction
    text: str


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    operand: "Condition"


@dataclass(frozen=True, slots=True)
class And:
    """All of at least two hold."""

    operands: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One of at least two holds."""

    operands: tuple["Condition", ...]


Condition = Constant | Missing | Comparison | ColumnComparison | Membership | TextMatch | Not | And | Or
