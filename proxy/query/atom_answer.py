"""Renders a page as Atom to the byte (query-api.md, 2.2). Clients look names up by the prefixes that are used here."""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from proxy.query.answer import Answer
from proxy.query.cell_texts import (
    CellKind,
    describe_member,
    format_clock,
    format_coordinate,
    format_distance,
    format_double,
    format_shapes,
)
from proxy.query.result import Cell, Result, ResultColumn
from proxy.wire.dates import format_utc_seconds

_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'
_ATOM = 'xmlns="http://www.w3.org/2005/Atom"'
_D = 'xmlns:d="http://schemas.microsoft.com/ado/2007/08/dataservices"'
_M = 'xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"'
_TITLE = '<title type="text"></title>'
_SEPARATOR = "\0"
_INVALID = re.compile("[^\\0\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_atom(result: Result, answer: Answer) -> bytes:
    """The page as a feed, or its one entity as an entry, without white space between elements."""
    columns = [_render_column(column) for column in result.columns]
    now = f"<updated>{format_utc_seconds(answer.now)}</updated>"
    rights = f'<rights type="text">{_escape([answer.copyright])[0]}</rights>'
    middle = f'</id>{_TITLE}{now}<content type="application/xml"><m:properties>'
    uris = _escape(answer.build_uris(result.ids))
    rows = ["".join(row) for row in zip(*columns, strict=True)] if columns else [""] * len(uris)
    entries = [f"<id>{uri}{middle}{row}</m:properties></content>" for uri, row in zip(uris, rows, strict=True)]
    if answer.is_single:
        return f"{_DECLARATION}<entry {_M} {_D} {_ATOM}>{entries[0]}{rights}</entry>".encode()
    count = "" if result.count is None else f"<m:count>{result.count}</m:count>"
    feed_id = f"<id>uuid:{answer.guid};id=1</id>"
    body = "".join(f"<entry>{entry}</entry>" for entry in entries)
    return f"{_DECLARATION}<feed {_D} {_M} {_ATOM}>{_TITLE}{feed_id}{rights}{now}{count}{body}</feed>".encode()


def _render_column(column: ResultColumn) -> list[str]:
    """The elements of a property. A String has no attribute; all others have their type, or clients throw."""
    name, kind = describe_member(column.member)
    if kind is CellKind.STRING:
        return [f"<d:{name}>{text}</d:{name}>" if text else f"<d:{name} />" for text in _escape(column.values)]
    start = f'<d:{name} m:type="Edm.{_TYPES[kind]}"'
    end, missing = f"</d:{name}>", f'{start} m:null="true" />'
    return [missing if text is None else f"{start}>{text}{end}" for text in _CELLS[kind](column.values)]


def _escape(values: Sequence[Any]) -> list[str]:
    """The texts with marks escaped, without what XML can't hold. One text for all of them is read at once."""
    texts = [value or "" for value in values]
    joined = _SEPARATOR.join(texts)
    if joined.count(_SEPARATOR) >= len(texts):
        joined = _SEPARATOR.join(text.replace(_SEPARATOR, "") for text in texts)
    joined = _INVALID.sub("", joined)
    for mark, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\r", "&#13;")):
        joined = joined.replace(mark, entity)
    return joined.split(_SEPARATOR) if texts else []


def _each(form: Callable[[Any], str]) -> Callable[[Sequence[Cell]], list[str | None]]:
    return lambda values: [None if value is None else form(value) for value in values]


def _each_number(form: Callable[[float], str]) -> Callable[[Sequence[Cell]], list[str | None]]:
    return _each(lambda number: form(number) if math.isfinite(number) else _format_special(number))


def _format_special(number: float) -> str:
    return "NaN" if math.isnan(number) else "INF" if number > 0 else "-INF"


_TYPES = {
    CellKind.COORDINATE: "Double",
    CellKind.DOUBLE: "Double",
    CellKind.DISTANCE: "Double",
    CellKind.INT64: "Int64",
    CellKind.BOOLEAN: "Boolean",
    CellKind.DATETIME: "DateTime",
    CellKind.GEOGRAPHY: "Geography",
}
_CELLS: dict[CellKind, Callable[[Sequence[Any]], list[str | None]]] = {
    CellKind.COORDINATE: _each_number(format_coordinate),
    CellKind.DOUBLE: _each_number(format_double),
    CellKind.DISTANCE: _each_number(format_distance),
    CellKind.INT64: _each(str),
    CellKind.BOOLEAN: _each({True: "1", False: "0"}.__getitem__),
    CellKind.DATETIME: _each(format_clock),
    CellKind.GEOGRAPHY: format_shapes,
}
