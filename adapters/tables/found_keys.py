"""Finds rows of the key store by what an operator knows: a digest, its beginning, or a name."""

from adapters.model.key_records import FoundKey
from adapters.tables.key_names import KeyNames, is_same_name
from adapters.tables.key_rows import key_partition, read_key, read_revocation
from adapters.tables.key_table import KEY_ROWS, KeyTable
from adapters.tables.properties import MalformedRowError, Row
from adapters.tables.reader import KeyRange

# Sorts after every hex digit.
_AFTER_DIGITS = "g"


def found_key(row: Row) -> FoundKey:
    """The key of a row, also where the row can't be read."""
    digest, is_revoked = str(row.get("RowKey")), read_revocation(row) is not None
    try:
        return FoundKey(digest, read_key(row), is_revoked=is_revoked)
    except MalformedRowError as error:
        return FoundKey(digest, None, str(error), is_revoked)


async def find_keys(table: KeyTable, prefix: str) -> list[FoundKey]:
    """The keys of digests that begin with this text of two or more lower-case hex digits."""
    keys = KeyRange(key_partition(prefix), prefix, prefix + _AFTER_DIGITS)
    return [found_key(row) async for page in table.reads.rows(keys) for row in page]


async def find_named_keys(table: KeyTable, name: str) -> list[FoundKey]:
    """The keys with this name, in any letter case; where one in force has it, that one alone.

    Rows of other tools may have no name row, and a revoked key has none, so that all rows are read for those.
    """
    if (owner := await KeyNames(table).owner(name)) is not None:
        row = await table.reads.row(key_partition(owner), owner)
        return [] if row is None else [found_key(row)]
    pages = table.reads.rows(KEY_ROWS)
    named = [found_key(row) async for page in pages for row in page if is_same_name(row.get("Name"), name)]
    return [found for found in named if not found.is_revoked] or named
