"""Rows of the table `usage`: requests by key, in an hour by process and on a day (operations contract, section 1).

| property | type | |
|---|---|---|
| `PartitionKey` | | `{account}:{YYYYMMDDHH}`, or `{account}:day` |
| `RowKey` | | `{first 16 hex digits of the key's digest}:{process}`, or `{YYYYMMDD}:{16 hex digits}` |
| `KeyName` | string | optional |
| `First`, `Last` | DateTime | |
| `Operations` | string | JSON: operation -> [count, errors, refused, not served] |
| `Sources`, `Agents`, `Networks` | string | JSON arrays, optional |
| `Hours` | Int32 | of a day alone: bit n is set where hour n is in the sum |
"""

import json
import re
from typing import Any

from azure.data.tables import EdmType, EntityProperty

from adapters.model.ticks import format_ticks
from adapters.model.usage import MAX_AGENT_LENGTH, MAX_AGENTS, MAX_NETWORKS, MAX_SOURCES, Names, Usage, add_names
from adapters.tables.properties import Row, read_count, read_date, read_text

_DIGEST = re.compile("[0-9a-f]{16}")
_LONGEST_NAME = 64


def write_usage(partition: str, row_key: str, usage: Usage) -> dict[str, Any]:
    """The entity of an hour or a day."""
    optional = {"Sources": usage.sources, "Agents": usage.agents, "Networks": usage.networks}
    entity: dict[str, Any] = {
        "PartitionKey": partition,
        "RowKey": row_key,
        "First": EntityProperty(format_ticks(usage.first), EdmType.DATETIME),
        "Last": EntityProperty(format_ticks(usage.last), EdmType.DATETIME),
        "Operations": _json(usage.operations),
        **{name: _json(list(texts)) for name, texts in optional.items() if texts},
    }
    return entity if usage.name is None else entity | {"KeyName": usage.name}


def read_usage(row: Row, digest: str) -> Usage | None:
    """The usage of a row. None for a row that this program did not write: without its times, or of another key."""
    first, last = (read_date(row, name, _ignore) for name in ("First", "Last"))
    if first is None or last is None or _DIGEST.fullmatch(digest) is None:
        return None
    name = read_text(row, "KeyName", _ignore)
    return Usage(
        digest,
        None if name is None else name[:_LONGEST_NAME],
        first,
        last,
        _read_operations(row),
        _read_names(row, "Sources", MAX_SOURCES),
        _read_names(row, "Agents", MAX_AGENTS),
        _read_names(row, "Networks", MAX_NETWORKS),
    )


def read_hours(row: Row) -> int:
    """The hours that are in the sum of a day, a bit each."""
    return read_count(row, "Hours", _ignore)


def _read_operations(row: Row) -> dict[str, list[int]]:
    value = _load(row, "Operations")
    operations = value.items() if isinstance(value, dict) else ()
    return {operation: counts for operation, counts in operations if _are_counts(counts)}


def _are_counts(value: object) -> bool:
    places = 4
    return isinstance(value, list) and len(value) == places and all(type(each) is int and each >= 0 for each in value)


def _read_names(row: Row, name: str, most: int) -> Names:
    value, names = _load(row, name), Names()
    texts = value if isinstance(value, list) else []
    add_names(names, {text[:MAX_AGENT_LENGTH]: None for text in texts if isinstance(text, str)}, most)
    return names


def _load(row: Row, name: str) -> object:
    try:
        return json.loads(row.get(name) or "null")
    except (TypeError, ValueError, RecursionError):
        return None


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _ignore(_: str) -> None:
    """Ignores what is odd about a row: nobody's access depends on it."""
