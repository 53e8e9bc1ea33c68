"""Renders a page as JSON to the byte (query-api.md, 2.1). In ASCII alone: some clients take another charset."""

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

from proxy.query.answer import Answer
from proxy.query.cell_texts import (
    CellKind,
    describe_member,
    format_coordinate,
    format_distance,
    format_double,
    format_milliseconds,
    format_shapes,
)
from proxy.query.result import Cell, Result

_encode = json.JSONEncoder().encode


def render_json(result: Result, answer: Answer) -> bytes:
    """The page as JSON without white space, members in the order of the query.

    Columns become texts one after the other, and then rows by one template: that takes a third of the time of rows.
    """
    names, columns = [], []
    for column in result.columns:
        name, kind = describe_member(column.member)
        names.append(name)
        columns.append(_CELLS[kind](column.values))
    members = "".join(f",{_encode(name)}:%s" for name in names)
    rows = map(
        f'"__metadata":{{"uri":%s}}{members}'.__mod__,
        zip(map(_encode, answer.build_uris(result.ids)), *columns, strict=True),
    )
    head = f'{{"d":{{"__copyright":{_encode(answer.copyright)},'
    if answer.is_single:
        text = f"{head}{next(rows)}}}}}"
    else:
        count = "" if result.count is None else f'"__count":{result.count},'
        entities = "},{".join(rows)
        text = f'{head}{count}"results":[{{{entities}}}]}}}}' if result.ids else f'{head}{count}"results":[]}}}}'
    # JSON has no slash outside of strings, so all of them can be escaped at once.
    return text.replace("/", "\\/").encode()


def _each(form: Callable[[Any], str]) -> Callable[[Sequence[Cell]], list[str]]:
    return lambda values: ["null" if value is None else form(value) for value in values]


def _each_finite(form: Callable[[float], str]) -> Callable[[Sequence[Cell]], list[str]]:
    return _each(lambda number: form(number) if math.isfinite(number) else "null")


_CELLS: dict[CellKind, Callable[[Sequence[Any]], list[str]]] = {
    CellKind.STRING: lambda values: [_encode(value or "") for value in values],
    CellKind.COORDINATE: _each_finite(format_coordinate),
    CellKind.DOUBLE: _each_finite(format_double),
    CellKind.DISTANCE: _each_finite(format_distance),
    CellKind.INT64: _each(str),
    CellKind.BOOLEAN: _each({True: "true", False: "false"}.__getitem__),
    CellKind.DATETIME: _each(lambda ticks: f'"/Date({format_milliseconds(ticks)})/"'),
    CellKind.GEOGRAPHY: lambda values: _each(_encode)(format_shapes(values)),
}
