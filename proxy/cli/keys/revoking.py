"""The commands `keys revoke`, `keys reinstate` and `keys prune`."""

import re
import sys
from argparse import Namespace
from collections.abc import Sequence

from adapters.model.key_records import FoundKey
from proxy.cli.errors import CommandError
from proxy.cli.keys.holder import KeyHolder
from proxy.cli.keys.lines import format_key, shown
from proxy.cli.keys.places import find_keys_place
from proxy.keyring.keyring import DIGEST_PREFIX

MIN_DIGITS = 6

_PREFIX = re.compile(f"[0-9a-f]{{{MIN_DIGITS},64}}")


def revoke_key(options: Namespace) -> int:
    """Revokes the one key with a digest that begins with `DIGEST`, or with this name.

    Raises:
        CommandError: there is no such key, or there are several.
    """

    async def revoke(keys: KeyHolder) -> int:
        found = await _find_named(keys, options.name) if options.digest is None else await _find(keys, options.digest)
        is_new = await keys.revoke(found)
        print(f"{shown(found.digest)} {'revoked' if is_new else 'was revoked already'}", file=sys.stderr)
        return 0

    return find_keys_place(edits=True).run(revoke, changes=True, wait=options.wait)


def reinstate_key(options: Namespace) -> int:
    """Takes the revocation back of the one key with a digest that begins with `DIGEST`.

    Raises:
        CommandError: there is no such key, or there are several, or another key has its name.
    """

    async def reinstate(keys: KeyHolder) -> int:
        found = await _find(keys, options.digest)
        is_new = await keys.reinstate(found)
        print(f"{shown(found.digest)} {'reinstated' if is_new else 'was in force already'}", file=sys.stderr)
        return 0

    return find_keys_place(edits=True).run(reinstate, changes=True, wait=options.wait)


def prune_keys(options: Namespace) -> int:
    """Deletes the keys that were revoked long ago."""

    async def prune(keys: KeyHolder) -> int:
        print(f"{await keys.prune()} keys deleted", file=sys.stderr)
        return 0

    return find_keys_place(edits=True).run(prune, changes=True, wait=options.wait)


async def _find(keys: KeyHolder, text: str) -> FoundKey:
    prefix = text.lower().removeprefix(DIGEST_PREFIX)
    if _PREFIX.fullmatch(prefix) is None:  # not shown: it may be a key
        raise CommandError(f"DIGEST must be the first {MIN_DIGITS} to 64 hex digits, as `keys list` shows them")
    return _only(await keys.find(prefix), "have a digest that begins with it; `keys list --all` shows the digests")


async def _find_named(keys: KeyHolder, name: str) -> FoundKey:
    return _only(await keys.find_named(name), "have this name; `keys list --all` shows the names")


def _only(found: Sequence[FoundKey], text: str) -> FoundKey:
    if len(found) != 1:
        raise CommandError("\n".join([f"{len(found)} keys {text}", *map(format_key, found)]))
    return found[0]
