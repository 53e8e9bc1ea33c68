"""The command `keys add`."""

import secrets
import sys
from argparse import Namespace
from dataclasses import replace
from datetime import UTC, datetime

from pydantic import ValidationError

from adapters.errors import AnnouncementError
from adapters.model.ticks import from_datetime
from proxy.cli.errors import CommandError
from proxy.cli.keys.holder import KeyHolder, KeyPlace
from proxy.cli.keys.key_input import require_key
from proxy.cli.keys.lines import shown
from proxy.cli.keys.members import record_of
from proxy.cli.keys.misplaced_key import find_misplaced_key
from proxy.cli.keys.patterns import check_patterns
from proxy.cli.keys.places import find_keys_place
from proxy.keyring.keyring import DIGEST_PREFIX, hash_key
from proxy.keyring.models import KeyModel

# The length of Bing's keys, in characters that need no encoding in a URL.
NEW_KEY_BYTES = 48

SHOWN_TIME = 60
SHOWN_ACCOUNTS = 10


def add_key(options: Namespace) -> int:
    """Adds a key from standard input, or a generated one that is printed once. Its digest is stored.

    Where there is no key ring yet, one with this account and this key is made.

    Raises:
        CommandError: the key or an argument can't be used.
    """
    place = find_keys_place(edits=True, makes=True)
    model = _check(options, place)
    key = secrets.token_urlsafe(NEW_KEY_BYTES) if options.generate else require_key("; --generate makes one")
    if options.plaintext and key.startswith(DIGEST_PREFIX):
        raise CommandError("a key that looks like a digest can't be stored in plain text")
    if options.name == key:
        raise CommandError("--name: is the key itself, and would be shown")
    digest = f"{DIGEST_PREFIX}{hash_key(key.encode()).hex()}"
    record = replace(record_of(digest, model), created=from_datetime(datetime.now(UTC)))
    if member := find_misplaced_key(record):
        raise CommandError(f"--{member.replace('_', '-')}: looks like a key, and would be shown")

    async def add(keys: KeyHolder) -> int:
        fault: AnnouncementError | None = None
        hint = ""
        try:
            hint = await keys.add(record, key if options.plaintext else None)
        except AnnouncementError as error:  # it is stored all the same, and a generated key is shown only here
            fault = error
        print(f"{shown(record.digest)} added to account {record.account}", file=sys.stderr)
        if hint:
            print(hint, file=sys.stderr)
        if options.generate:
            print(key)
        if fault is not None:
            raise fault
        return 0

    return place.run(add, changes=True, wait=options.wait)


def _check(options: Namespace, place: KeyPlace) -> KeyModel:
    _check_expiry(options.expires)
    if place.accounts is not None and options.account not in place.accounts:
        names = ", ".join(sorted(place.accounts)[:SHOWN_ACCOUNTS])
        raise CommandError(f"--account: there is no account {options.account[:50]!r} in the key ring; it has {names}")
    if options.plaintext and not place.takes_keys_in_clear:
        raise CommandError("--plaintext: a key store holds digests only")
    if options.data_sources is not None and not options.data_sources:
        raise CommandError("--data-sources: names no pattern; without this option the key opens all data sources")
    given = {
        "account": options.account,
        "role": options.role,
        "name": options.name,
        "expires": options.expires,
        "data_sources": options.data_sources,
        "shadow": options.shadow or None,
    }
    try:
        model = KeyModel.model_validate({name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        argument = str(first["loc"][0]).replace("_", "-")
        raise CommandError(f"--{argument}: {first['msg'].removeprefix('Value error, ')}") from None
    if mistake := check_patterns(model.data_sources):
        raise CommandError(f"--data-sources: {mistake}")
    return model


def _check_expiry(text: str | None) -> None:
    if text is None:
        return
    shown_time = repr(text[:SHOWN_TIME])
    try:
        end = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"--expires: {shown_time} is no time; write it like 2030-01-01T00:00:00Z") from None
    if end.tzinfo is None:
        raise CommandError(f"--expires: {shown_time} has no time zone; write it like 2030-01-01T00:00:00Z")
    now = datetime.now(UTC)
    if end <= now:
        raise CommandError(f"--expires: {shown_time} is in the past; it is {now.isoformat(timespec='seconds')} now")
