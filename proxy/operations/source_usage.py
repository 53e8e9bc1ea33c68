"""Which keys use which data sources, by the rows of usage (operations contract, section 1)."""

from collections import defaultdict
from collections.abc import Mapping

from adapters.account import AccountStorage
from adapters.model.usage import Usage
from proxy.operations.keys.usage import USAGE_SECONDS
from proxy.operations.reading_time import bound_reading

_DIGITS = 8
"""Hex digits of its digest that tell a key without a name from others."""


async def find_keys(account: AccountStorage) -> Mapping[str, tuple[str, ...]]:
    """The names of keys by the data sources that their requests named, in lower case.

    A row of usage names at most ten data sources, so a key that asks for more is not with all of them.

    Raises:
        StorageError: storage can't answer, or not within USAGE_SECONDS.
    """
    names: dict[str, str] = {}
    digests: defaultdict[str, set[str]] = defaultdict(set)
    async with bound_reading(USAGE_SECONDS):
        async for usage in account.usage.iterate():
            names[usage.digest] = usage.name or names.get(usage.digest) or _describe(usage)
            for source in usage.sources:
                digests[source.lower()].add(usage.digest)
    return {source: tuple(sorted({names[each] for each in found})) for source, found in digests.items()}


def _describe(usage: Usage) -> str:
    return f"key {usage.digest[:_DIGITS]}"
