"""The texts of values in answers (query-api.md, 2.1), as far as both formats have them in common."""

from collections.abc import Sequence
from enum import Enum, auto

from adapters.model.ticks import PER_MILLISECOND, UNIX_EPOCH, Ticks, format_ticks
from proxy.query.query import DISTANCE, INTERSECTION, Distance, Intersection, Member
from proxy.query.result import Cell
from proxy.query.schema import PropertyType


class CellKind(Enum):
    """The forms of values."""

    STRING = auto()
    COORDINATE = auto()
    DOUBLE = auto()
    DISTANCE = auto()
    INT64 = auto()
    BOOLEAN = auto()
    DATETIME = auto()
    GEOGRAPHY = auto()


_KINDS = {
    PropertyType.STRING: CellKind.STRING,
    PropertyType.DOUBLE: CellKind.DOUBLE,
    PropertyType.INT64: CellKind.INT64,
    PropertyType.BOOLEAN: CellKind.BOOLEAN,
    PropertyType.DATETIME: CellKind.DATETIME,
    PropertyType.GEOGRAPHY: CellKind.GEOGRAPHY,
}


def describe_member(member: Member) -> tuple[str, CellKind]:
    """The name of a member in answers, and the form of its values."""
    if isinstance(member, Distance):
        return DISTANCE, CellKind.DISTANCE
    if isinstance(member, Intersection):
        return INTERSECTION, CellKind.GEOGRAPHY
    is_coordinate = member.is_coordinate and member.type is PropertyType.DOUBLE
    return member.name, CellKind.COORDINATE if is_coordinate else _KINDS[member.type]


def format_coordinate(number: float) -> str:
    """A latitude or a longitude, always six decimals."""
    return f"{number:.6f}"


def format_distance(number: float) -> str:
    """15 significant digits without zeros at the end, an exponent below 0.0001: `2.19734077218973`, `5E-05`."""
    return f"{number:.15G}"


def format_double(number: float) -> str:
    """The shortest digits that read back the same; an exponent from 1E+16 on and below 0.0001."""
    return repr(number).removesuffix(".0").upper()


def format_milliseconds(ticks: int) -> str:
    """Milliseconds since 1970, rounded down."""
    return str((ticks - UNIX_EPOCH) // PER_MILLISECOND)


def format_clock(ticks: int) -> str:
    """`2010-11-03T23:31:36` without a zone, a fraction only where there is one."""
    return format_ticks(Ticks(ticks)).removesuffix("Z").rstrip("0").removesuffix(".")


def format_shapes(values: Sequence[Cell]) -> list[str | None]:
    """The well-known texts of a column of WKB."""
    import pyarrow as pa  # noqa: PLC0415  few answers have shapes

    from proxy.formats.columns.geography import format_geographies  # noqa: PLC0415  the same

    texts: list[str | None] = format_geographies(pa.array(values, pa.binary())).to_pylist()
    return texts
