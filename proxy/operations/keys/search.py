"""Finds the one key that an operator means."""

import re
from collections.abc import Sequence

from adapters.model.key_records import FoundKey
from proxy.keyring.keyring import DIGEST_PREFIX
from proxy.operations.errors import OperationError
from proxy.operations.keys.holder import KeyHolder
from proxy.operations.keys.lines import format_key

MIN_DIGITS = 6

_PREFIX = re.compile(f"[0-9a-f]{{{MIN_DIGITS},64}}")


def parse_prefix(text: str) -> str | None:
    """The beginning of a digest as `keys list` shows it, in lower case without its prefix; None for another text."""
    prefix = text.lower().removeprefix(DIGEST_PREFIX)
    return None if _PREFIX.fullmatch(prefix) is None else prefix


async def find_key(keys: KeyHolder, text: str) -> FoundKey:
    """The one key with a digest that begins with this text.

    Raises:
        OperationError: there is no such key, or there are several, or the text is no beginning of a digest.
    """
    prefix = parse_prefix(text)
    if prefix is None:  # not shown: it may be a key
        raise OperationError(f"DIGEST must be the first {MIN_DIGITS} to 64 hex digits, as `keys list` shows them")
    return _only(await keys.find(prefix), "have a digest that begins with it; `keys list --all` shows the digests")


async def find_named_key(keys: KeyHolder, name: str) -> FoundKey:
    """The one key with this name.

    Raises:
        OperationError: there is no such key, or there are several.
    """
    return _only(await keys.find_named(name), "have this name; `keys list --all` shows the names")


def _only(found: Sequence[FoundKey], text: str) -> FoundKey:
    if len(found) != 1:
        raise OperationError("\n".join([f"{len(found)} keys {text}", *map(format_key, found)]))
    return found[0]
