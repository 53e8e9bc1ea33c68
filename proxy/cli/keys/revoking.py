"""The commands `keys revoke`, `keys reinstate` and `keys prune`."""

import sys
from argparse import Namespace

from proxy.cli.keys.changing import Change, change_keys
from proxy.operations.keys.holder import KeyHolder
from proxy.operations.keys.key_editor import KeyEditor
from proxy.operations.keys.lines import shown
from proxy.operations.keys.places import find_keys_place
from proxy.operations.keys.search import find_key, find_named_key
from proxy.settings import load_settings


def revoke_key(options: Namespace) -> int:
    """Revokes the one key with a digest that begins with `DIGEST`, or with this name.

    Raises:
        OperationError: there is no such key, or there are several.
    """

    async def revoke(keys: KeyHolder, editor: KeyEditor) -> int:
        is_named = options.digest is None
        found = await find_named_key(keys, options.name) if is_named else await find_key(keys, options.digest)
        is_new = await editor.revoke(found)
        print(f"{shown(found.digest)} {'revoked' if is_new else 'was revoked already'}", file=sys.stderr)
        return 0

    return _run(revoke, options)


def reinstate_key(options: Namespace) -> int:
    """Takes the revocation back of the one key with a digest that begins with `DIGEST`.

    Raises:
        OperationError: there is no such key, or there are several, or another key has its name.
    """

    async def reinstate(keys: KeyHolder, editor: KeyEditor) -> int:
        found = await find_key(keys, options.digest)
        is_new = await editor.reinstate(found)
        print(f"{shown(found.digest)} {'reinstated' if is_new else 'was in force already'}", file=sys.stderr)
        return 0

    return _run(reinstate, options)


def prune_keys(options: Namespace) -> int:
    """Deletes the keys that were revoked long ago."""

    async def prune(_: KeyHolder, editor: KeyEditor) -> int:
        print(f"{await editor.prune()} keys deleted", file=sys.stderr)
        return 0

    return _run(prune, options)


def _run(change: Change, options: Namespace) -> int:
    settings = load_settings()
    return change_keys(settings, find_keys_place(settings, edits=True), change, wait=options.wait)
