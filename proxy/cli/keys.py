"""The commands `keys add`, `keys list` and `keys revoke`: they edit the key ring file."""

import json
import re
import secrets
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from getpass import getpass
from pathlib import Path
from typing import Any

from proxy.cli.errors import CommandError
from proxy.keyring.atomic_edit import edit_atomically
from proxy.keyring.file import parse_key, parse_keyring, read_keyring
from proxy.keyring.keyring import DIGEST_PREFIX, hash_key
from proxy.settings import Settings, SettingsError, load_settings, variable_name

# The length of Bing's keys, in characters that need no encoding in a URL.
NEW_KEY_BYTES = 48

# Hex digits of a digest that are shown. `revoke` finds a key by any beginning that is unique.
SHOWN_DIGITS = 12
SHOWN_TIME = 60


def add_key(options: Namespace) -> int:
    """Adds a key from standard input, or a generated one that is printed once. The ring gets its digest.

    Where there is no ring yet, one with this account and this key is made.

    Raises:
        CommandError: the key or an argument can't be used.
    """
    settings = load_settings()
    _path(settings)
    _check_expiry(options.expires)
    key = secrets.token_urlsafe(NEW_KEY_BYTES) if options.generate else read_key("Key: ").strip()
    if not key or not key.isprintable():
        raise CommandError("no key on standard input; --generate makes one")
    if options.plaintext and key.startswith(DIGEST_PREFIX):
        raise CommandError("a key that looks like a digest can't be stored in plain text")
    written = key if options.plaintext else f"{DIGEST_PREFIX}{hash_key(key.encode()).hex()}"
    optional = {"name": options.name, "expires": options.expires, "data_sources": options.data_source or None}
    entry = {"account": options.account, "role": options.role}
    entry |= {name: value for name, value in optional.items() if value is not None}

    def add(ring: dict[str, Any]) -> None:
        if any(parse_key(known) == hash_key(key.encode()) for known in ring["keys"]):
            raise CommandError("the key ring has this key already")
        ring["keys"][written] = entry

    is_first = _edit(settings, add, first=_first_ring(options.account))
    print(f"{_shown(written)} added to account {options.account}", file=sys.stderr)
    if is_first:
        hint = f"set {_storage_variable(options.account)} to the connection string of its storage, or edit the file"
        print(f"{settings.keyring_file} is made with this account; {hint}", file=sys.stderr)
    if options.generate:
        print(key)
    return 0


def read_key(prompt: str) -> str:
    """Reads a line of standard input. On a terminal it prompts, and does not echo."""
    if sys.stdin is None:
        return ""
    try:
        return getpass(prompt, sys.stderr) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    except EOFError:  # Ctrl-D in place of a key
        return ""


def list_keys(_options: Namespace) -> int:
    """Prints a line for each key: the start of its digest, name, account, role, expiry and data sources."""
    text = _text(load_settings())
    grants = parse_keyring(text).grants
    for written, entry in json.loads(text)["keys"].items():
        grant = grants[parse_key(written)]
        ended = grant.expires is not None and grant.expires <= datetime.now(UTC)
        parts = [
            _shown(written),
            grant.name or "",
            grant.account,
            grant.role.value,
            f"{'expired' if ended else 'expires'} {grant.expires.isoformat()}" if grant.expires else "",
            " ".join(entry.get("data_sources") or ()),
            "" if written.startswith(DIGEST_PREFIX) else "in plain text",
        ]
        print("  ".join(part for part in parts if part))
    return 0


def revoke_key(options: Namespace) -> int:
    """Removes the one key whose digest begins with `DIGEST`."""
    wanted = options.digest.lower().removeprefix(DIGEST_PREFIX)

    def revoke(ring: dict[str, Any]) -> None:
        found = [written for written in ring["keys"] if parse_key(written).hex().startswith(wanted)]
        if len(found) != 1 or not wanted:
            raise CommandError(f"{len(found)} keys have a digest that begins with it; `keys list` shows the digests")
        del ring["keys"][found[0]]
        revoked.append(_shown(found[0]))

    revoked: list[str] = []
    _edit(load_settings(), revoke)
    print(f"{revoked[0]} revoked", file=sys.stderr)
    return 0


def _edit(settings: Settings, change: Callable[[dict[str, Any]], None], first: Mapping[str, Any] | None = None) -> bool:
    """Changes the key ring's file. Returns whether it was made, of `first`, because there was none."""
    path, is_first = _path(settings), False
    try:
        with edit_atomically(path) as ring:
            is_first = first is not None and not path.exists()
            ring.update(first if first and is_first else json.loads(_checked(path)))
            change(ring)
            parse_keyring(json.dumps(ring))
    except SettingsError as error:
        raise CommandError(f"key ring: {error}; nothing was changed") from None
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}; nothing was changed") from None
    return is_first


def _first_ring(account: str) -> dict[str, Any]:
    """Returns a key ring with one account and no key. The connection string, a secret, stays outside the file."""
    return {"accounts": {account: {"storage": {"connection_string_env": _storage_variable(account)}}}, "keys": {}}


def _storage_variable(account: str) -> str:
    name = re.sub("[^A-Z0-9]", "_", account.upper())
    return f"{'_' if name[:1].isdigit() else ''}{name}_STORAGE"


def _check_expiry(text: str | None) -> None:
    if text is None:
        return
    shown = repr(text[:SHOWN_TIME])
    try:
        end = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"--expires: {shown} is no time; write it like 2030-01-01T00:00:00Z") from None
    if end.tzinfo is None:
        raise CommandError(f"--expires: {shown} has no time zone; write it like 2030-01-01T00:00:00Z")
    now = datetime.now(UTC)
    if end <= now:
        raise CommandError(f"--expires: {shown} is in the past; it is {now.isoformat(timespec='seconds')} now")


def _text(settings: Settings) -> str:
    """Returns the text of the key ring, checked, from its file or its variable."""
    if settings.keyring is None:
        return _checked(_path(settings))
    text = settings.keyring.get_secret_value()
    try:
        parse_keyring(text)
    except SettingsError as error:
        raise CommandError(f"{variable_name('keyring')}: key ring: {error}") from None
    return text


def _checked(path: Path) -> str:
    text = read_keyring(path)
    try:
        parse_keyring(text)
    except SettingsError as error:
        raise CommandError(f"{path}: key ring: {error}") from None
    return text


def _path(settings: Settings) -> Path:
    if settings.keyring_file is None:
        raise CommandError(f"{variable_name('keyring_file')} must name the file to edit")
    return settings.keyring_file


def _shown(written: str) -> str:
    return f"{DIGEST_PREFIX}{parse_key(written).hex()[:SHOWN_DIGITS]}"
