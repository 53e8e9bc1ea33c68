"""The command `keys import`."""

import json
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from adapters.model.key_imports import ImportOutcome, KeyImport
from proxy.cli.errors import CommandError
from proxy.cli.keys.changing import change_keys
from proxy.cli.keys.import_file import read_import, read_members
from proxy.operations.keys.holder import KeyHolder, KeyPlace
from proxy.operations.keys.key_editor import KeyEditor
from proxy.operations.keys.places import find_keys_place
from proxy.settings import SettingsError, load_settings


def import_keys(options: Namespace) -> int:
    """Adds and changes the keys of a file, or those of the ring in use. A revoked key stays revoked.

    Raises:
        CommandError: something in the file is wrong; nothing was written.
    """
    settings = load_settings()
    place = find_keys_place(settings, edits=True, importing=options.from_ring)
    imported = _ring_keys(place) if options.from_ring else _file_keys(options.file, place)

    async def put(_: KeyHolder, editor: KeyEditor) -> int:
        counted = await editor.put(imported, _show_progress)
        print(", ".join(f"{outcome.value} {counted[outcome]}" for outcome in ImportOutcome))
        if options.from_ring:
            print("keys can be taken out of the key ring now: its key_store has them", file=sys.stderr)
        return 0

    return change_keys(settings, place, put, wait=options.wait)


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


@contextmanager
def _show_progress(text: str, total: int) -> Iterator[Callable[[int], object]]:
    # `None` shows progress on a terminal only; standard error, so that a pipe gets the result alone.
    with tqdm(total=total, unit=" keys", desc=text, disable=None, leave=False) as progress:
        yield progress.update
