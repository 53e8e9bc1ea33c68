"""The command `keys add`."""

import sys
from argparse import Namespace

from proxy.cli.errors import CommandError
from proxy.cli.keys.changing import change_keys
from proxy.cli.keys.key_input import require_key
from proxy.keyring.keyring import DIGEST_PREFIX
from proxy.keyring.models import KeyModel
from proxy.operations.keys.errors import NewKeyError
from proxy.operations.keys.holder import KeyHolder, KeyPlace
from proxy.operations.keys.key_editor import KeyEditor
from proxy.operations.keys.lines import shown
from proxy.operations.keys.new_key import NewKey, check_new_key, generate_key, make_record
from proxy.operations.keys.places import find_keys_place
from proxy.settings import Settings, load_settings


def add_key(options: Namespace) -> int:
    """Adds a key from standard input, or a generated one that is printed once. Its digest is stored.

    Where there is no key ring yet, one with this account and this key is made.

    Raises:
        CommandError: the key or an argument can't be used.
    """
    settings = load_settings()
    place = find_keys_place(settings, edits=True, makes=True)
    try:
        return _add(options, settings, place)
    except NewKeyError as error:
        raise CommandError(f"--{error.member.replace('_', '-')}: {error.problem}") from None


def _add(options: Namespace, settings: Settings, place: KeyPlace) -> int:
    model = _check(options, place)
    key = generate_key() if options.generate else require_key("; --generate makes one")
    if options.plaintext and key.startswith(DIGEST_PREFIX):
        raise CommandError("a key that looks like a digest can't be stored in plain text")
    record = make_record(key, model)

    def show(hint: str) -> None:
        print(f"{shown(record.digest)} added to account {record.account}", file=sys.stderr)
        if hint:
            print(hint, file=sys.stderr)
        if options.generate:
            print(key, flush=True)

    async def add(_: KeyHolder, editor: KeyEditor) -> int:
        await editor.add(record, key if options.plaintext else None, show)
        return 0

    return change_keys(settings, place, add, wait=options.wait)


def _check(options: Namespace, place: KeyPlace) -> KeyModel:
    patterns = None if options.data_sources is None else tuple(options.data_sources)
    new = NewKey(options.account, options.role, options.name, options.expires, patterns, options.shadow)
    model = check_new_key(new, place.accounts)
    if options.plaintext and place.is_store:
        raise CommandError("--plaintext: a key store holds digests only")
    return model
