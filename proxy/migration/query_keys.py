"""Reads the query keys of data sources, which the service shows to nobody: CSV with the columns data_source,key."""

import csv
from collections.abc import Iterable
from hashlib import sha256

from proxy.wire.request import is_data_source_name

COLUMNS = ["data_source", "key"]


def read_query_keys(lines: Iterable[str]) -> dict[str, str]:
    """The digests of keys, as in rows, by names of data sources in lower case.

    Raises:
        ValueError: a line is wrong; the text says which, and holds no key.
    """
    found: dict[str, str] = {}
    rows = csv.reader(lines)
    if [each.strip().lower() for each in next(rows, [])] != COLUMNS:
        raise ValueError(f"line 1 must be {','.join(COLUMNS)}")
    for row in rows:
        if not any(row):
            continue
        name, key = [each.strip() for each in row] if len(row) == len(COLUMNS) else ("", "")
        if not key or not is_data_source_name(name):
            raise ValueError(f"line {rows.line_num} must be the name of a data source, a comma, and its query key")
        if name.lower() in found:
            raise ValueError(f"line {rows.line_num} names the data source {name} a second time")
        found[name.lower()] = digest_of(key)
    return found


def digest_of(key: str) -> str:
    """A key's digest, as the rows of data sources have it."""
    return f"sha256:{sha256(key.encode()).hexdigest()}"
