"""Reads keys to import: a key ring in JSON, its member `keys` alone, or CSV. All of them are checked."""

import csv
import io
import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from adapters.model.key_imports import KEY_FIELDS, KeyImport
from adapters.model.key_records import KeyRecord
from proxy.keyring.file import load_members, parse_key, parse_keyring
from proxy.keyring.keyring import DIGEST_PREFIX
from proxy.keyring.models import KeyRingModel
from proxy.operations.keys.members import record_of
from proxy.operations.keys.misplaced_key import find_misplaced_key
from proxy.operations.keys.patterns import check_patterns, split_patterns
from proxy.settings import SettingsError

COLUMNS = ("key", "account", "name", "role", "data_sources", "expires")
REQUIRED = {"key", "account"}

_LABEL = re.compile(f"key {DIGEST_PREFIX}([0-9a-f]{{12}})")


def read_import(text: str, ring_text: str) -> KeyImport:
    """The keys of a file.

    Args:
        text: what the file holds.
        ring_text: the JSON of the ring in use, which must have the accounts of the keys.

    Raises:
        SettingsError: something in the file is wrong. The text names a key by its digest, and a line by its number.
    """
    if text.lstrip()[:1] == "{":
        ring = load_members(text)
        members = ring.get("keys") if isinstance(ring, dict) else None
        if not isinstance(members, dict):
            raise SettingsError('it has no member "keys" with an object')
        return read_members(members, ring_text)
    members, fields, lines = _read_csv(text, json.loads(ring_text)["accounts"])
    try:
        return read_members(members, ring_text, fields)
    except SettingsError as error:
        numbered = _LABEL.sub(lambda label: f"line {lines.get(label[1], '?')}, {label[0]}", str(error))
        raise SettingsError(numbered) from None


def read_members(members: Mapping[str, Any], ring_text: str, fields: frozenset[str] = KEY_FIELDS) -> KeyImport:
    """The keys of a ring's member `keys`; `fields` are those that it speaks of.

    Raises:
        SettingsError: something in it is wrong.
    """
    # The ring in use with these keys in the place of its own must be a sound ring.
    ring = {"accounts": json.loads(ring_text)["accounts"], "keys": members}
    parse_keyring(json.dumps(ring))
    records = [record_of(written, key) for written, key in (KeyRingModel.model_validate(ring).keys or {}).items()]
    for record in records:
        if member := find_misplaced_key(record):
            raise SettingsError(
                f"key {DIGEST_PREFIX}{record.digest[:12]}: {member}: looks like a key; it would be shown"
            )
        if mistake := check_patterns(record.data_sources):
            raise SettingsError(f"{_label(record)}: data_sources: {mistake}")
    return KeyImport(records, fields)


def _read_csv(text: str, accounts: Collection[str]) -> tuple[dict[str, Any], frozenset[str], dict[str, int]]:
    """The members of a CSV file, the fields that it has columns for, and the line of each digest's beginning."""
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True, skipinitialspace=True)
    members: dict[str, Any] = {}
    lines: dict[str, int] = {}
    try:
        columns = [name.strip().lower() for name in reader.fieldnames or ()]
        # Its names are not shown: without a first line of names, a key would stand here.
        if not set(columns) >= REQUIRED or not set(columns) <= set(COLUMNS) or len(set(columns)) != len(columns):
            raise SettingsError(f"the first line must name columns: {','.join(COLUMNS)}; key and account are required")
        reader.fieldnames = columns
        for row in reader:
            if None in row or None in row.values():
                amount = "more" if None in row else "fewer"
                raise SettingsError(f"line {reader.line_num}: has {amount} cells than the first line")
            cells = {name: cell.strip() for name, cell in row.items()}
            written = cells.pop("key")
            if not written:
                raise SettingsError(f"line {reader.line_num}: key is empty")
            if written in members:
                raise SettingsError(f"line {reader.line_num}: the key of line {lines[_digest(written)]} is there twice")
            if cells["account"] not in accounts:  # not shown: where columns are mixed up, a key stands here
                raise SettingsError(f"line {reader.line_num}: its account is not in the key ring")
            lines[_digest(written)] = reader.line_num
            members[written] = {name: _value(name, cell) for name, cell in cells.items() if cell}
    except csv.Error as error:
        raise SettingsError(f"after line {reader.line_num}: {error}") from None
    return members, frozenset(columns) & KEY_FIELDS, lines


def _value(name: str, cell: str) -> str | list[str]:
    return split_patterns(cell) if name == "data_sources" else cell


def _label(record: KeyRecord) -> str:
    return f"key {DIGEST_PREFIX}{record.digest[:12]}"


def _digest(written: str) -> str:
    return parse_key(written).hex()[:12]
