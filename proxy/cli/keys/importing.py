"""The command `keys import`."""

import json
import sys
from argparse import Namespace
from pathlib import Path

from adapters.model.key_imports import ImportOutcome, KeyImport
from proxy.cli.errors import CommandError
from proxy.cli.keys.holder import KeyHolder, KeyPlace
from proxy.cli.keys.import_file import read_import, read_members
from proxy.cli.keys.places import find_keys_place
from proxy.settings import SettingsError


def import_keys(options: Namespace) -> int:
    """Adds and changes the keys of a file, or those of the ring in use. A revoked key stays revoked.

    Raises:
        CommandError: something in the file is wrong; nothing was written.
    """
    place = find_keys_place(edits=True, importing=options.from_ring)
    imported = _ring_keys(place) if options.from_ring else _file_keys(options.file, place)

    async def put(keys: KeyHolder) -> int:
        counted = await keys.put(imported)
        print(", ".join(f"{outcome.value} {counted[outcome]}" for outcome in ImportOutcome))
        if options.from_ring:
            print("keys can be taken out of the key ring now: its key_store has them", file=sys.stderr)
        return 0

    return place.run(put, changes=True, wait=options.wait)


def _file_keys(file: str, place: KeyPlace) -> KeyImport:
    try:
        content = Path(file).read_bytes() if file != "-" else _read_input()
        return read_import(content.decode("utf-8-sig"), place.ring_text)
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CommandError(f"{file}: is not UTF-8") from None
    except SettingsError as error:
        raise CommandError(f"{file}: {error}; nothing was written") from None


def _read_input() -> bytes:
    return b"" if sys.stdin is None else sys.stdin.buffer.read()


def _ring_keys(place: KeyPlace) -> KeyImport:
    ring = json.loads(place.ring_text)
    if "key_store" not in ring:
        raise CommandError("--from-ring: the key ring has no key_store to import its keys into")
    return read_members(ring.get("keys") or {}, place.ring_text)
