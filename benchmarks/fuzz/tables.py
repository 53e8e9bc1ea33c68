"""Sound entities as text, and how each text format spells them."""

import csv
import io
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from tests.unit.formats.loading import xml_of

SEPARATORS = {"csv": ",", "tab": "\t", "pipe": "|"}
DELETE = "__deleteEntity"

_STRINGS = (
    "",
    "Løven",
    'the "Old" Mill',
    "1 Microsoft Way, Redmond",
    "a|b",
    "6' 4\"",
    "two\nlines",
    " blanks ",
    "&amp; <b>",
    "日本\U0001f600",
    "'single'",
    "x" * 300,
)
_WKT = (
    "POINT (1 2)",
    "POINT (1.5 2.25 7)",
    "LINESTRING (1 1, 2 2, 3 1)",
    "POLYGON ((0 0, 9 0, 9 9, 0 0))",
    "POLYGON((9.86445 57.13876,9.89266 57.13876, 9.89266 56.94234,9.86445 56.94234,9.86445 57.13876))",
    "MULTIPOINT ((1 1), (2 2))",
    "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), ((5 5, 6 5, 6 6, 5 5)))",
    "GEOMETRYCOLLECTION (POINT (1 2), LINESTRING (1 1, 2 2))",
)
_VALUES: dict[str, Callable[[random.Random], str]] = {
    "String": lambda dice: dice.choice(_STRINGS),
    "Int64": lambda dice: str(dice.choice([0, -1, 700, 2**63 - 1, -(2**63), dice.randrange(10**9)])),
    "Boolean": lambda dice: dice.choice(["true", "false", "1", "0", "True"]),
    "Double": lambda dice: repr(dice.choice([0.0, -1.5, 1e-7, 1e300, dice.uniform(-1000, 1000)])),
    "DateTime": lambda dice: dice.choice(
        ["2010-11-11T01:19:36.4350494Z", "1999-12-31T23:59:59Z", "2024-02-29T12:00:00"]
    ),
    "Geography": lambda dice: dice.choice(_WKT),
}
_XSD = {
    "String": "string",
    "Int64": "long",
    "Boolean": "boolean",
    "Double": "double",
    "DateTime": "dateTime",
    "Geography": "anyType",
}


@dataclass(frozen=True, slots=True)
class Table:
    """Names and types of the columns, and the texts of each row; the first column is the key."""

    columns: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[str]]


def table(dice: random.Random) -> Table:
    """A table with a place or a geography, of up to 40 rows; some values are missing."""
    types = [dice.choice([name for name in _VALUES if name != "Geography"]) for _ in range(dice.randrange(6))]
    columns = [("EntityID", "String"), *((f"P{number}", type_) for number, type_ in enumerate(types))]
    placed = dice.random() < 0.7
    if not placed or dice.random() < 0.3:
        columns.append(("Shape", "Geography"))
    rows = [_row(dice, columns, f"id-{number}") for number in range(dice.choice([1, 2, 3, 10, 40]))]
    if placed:
        columns += [("Latitude", "Double"), ("Longitude", "Double")]
        rows = [[*row, repr(dice.uniform(-90, 90)), repr(dice.uniform(-180, 180))] for row in rows]
    return Table(columns, rows)


def update(dice: random.Random, base: Table) -> Table:
    """What an incremental load of the same type sends: changed rows, new ones, and maybe some that delete."""
    ids = [row[0] for row in base.rows if dice.random() < 0.5]
    ids += [f"new-{number}" for number in range(dice.randrange(3))]
    columns = list(base.columns)
    rows = [_row(dice, columns, id_, full=True) for id_ in ids or ["new"]]
    if dice.random() < 0.5:
        columns.append((DELETE, "Boolean"))
        rows = [[*row, dice.choice(["1", "0", ""])] for row in rows]
    return Table(columns, rows)


def _row(dice: random.Random, columns: Sequence[tuple[str, str]], id_: str, *, full: bool = False) -> list[str]:
    values = []
    for name, type_ in columns[1:]:
        if name in {"Latitude", "Longitude"}:
            values.append(repr(dice.uniform(-90, 90)))
        else:
            is_there = full or type_ == "Geography" or dice.random() < 0.8
            values.append(_VALUES[type_](dice) if is_there else "")
    return [id_, *values]


def spelled(made: Table, form: str, dice: random.Random) -> bytes:
    """The table as a file of this form, in one of the ways that programs write it."""
    return _xml(made, dice) if form == "xml" else _text(made, SEPARATORS[form], dice)


def _text(made: Table, separator: str, dice: random.Random) -> bytes:
    out = io.StringIO()
    end = dice.choice(["\n", "\n", "\r\n", "\r"])
    rows = made.rows
    if separator != ",":  # a line is a row there
        rows = [[value.replace("\n", " ") for value in row] for row in rows]
    # The latter has quotes around all, without which csv does not see that another line's end than its own needs them.
    dialect = dice.choice(["excel", "excel", "unix"]) if end != "\r" else "unix"
    csv.writer(out, dialect, delimiter=separator, lineterminator=end).writerows(rows)
    key = made.columns[0][0]
    names = [f"{name}(Edm.{type_}{',primaryKey' if name == key else ''})" for name, type_ in made.columns]
    head = f"Bing Spatial Data Services, 1.0, Shops{end}{separator.join(names)}{end}"
    text = head + out.getvalue()
    return text.removesuffix(end if dice.random() < 0.2 else "").encode()


def _xml(made: Table, dice: random.Random) -> bytes:
    names = [name for name, _ in made.columns]
    elements = []
    for row in made.rows:
        values = [(name, value) for name, value in zip(names, row, strict=True) if value]
        if dice.random() < 0.2:
            dice.shuffle(values)
        style = dice.choice(["{}", "{}", "<!-- c -->{}", " {} "])
        inside = "\n".join(style.format(f"<{name}>{_marked(dice, value)}</{name}>") for name, value in values)
        elements.append(f"<Shops>{inside}</Shops>")
    text = "\n".join(elements)
    if dice.random() < 0.2:
        text = f"<Set>{text}</Set>"
    return xml_of(text, *(f"{name}:{_XSD[type_]}" for name, type_ in made.columns[1:]))


def _marked(dice: random.Random, value: str) -> str:
    return f"<![CDATA[{value}]]>" if dice.random() < 0.1 else escape(value)
