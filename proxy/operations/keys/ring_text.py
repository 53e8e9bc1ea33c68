"""Reads the key ring that commands work on, from its file or its variable."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from proxy.keyring.file import parse_keyring, read_keyring
from proxy.keyring.keyring import KeyRing
from proxy.keyring.models import KeyModel, KeyRingModel
from proxy.operations.errors import OperationError
from proxy.settings import Settings, SettingsError, variable_name


@dataclass(frozen=True, slots=True)
class RingText:
    """The JSON of a key ring, and what it says."""

    text: str
    ring: KeyRing

    def keys(self) -> Mapping[str, KeyModel]:
        """The members of `keys`, as they are written."""
        return KeyRingModel.model_validate(json.loads(self.text)).keys or {}


def read_ring(settings: Settings, *, importing: bool = False) -> RingText:
    """The key ring in use; `importing`: it may have both `keys` and `key_store`.

    Raises:
        OperationError: it can't be used.
        SettingsError: its file can't be read.
    """
    if settings.keyring is None:
        return parse_ring(read_keyring(ring_file(settings)), ring_file(settings), importing=importing)
    return parse_ring(settings.keyring.get_secret_value(), variable_name("keyring"), importing=importing)


def parse_ring(text: str, source: object, *, importing: bool = False) -> RingText:
    """Parses a key ring; an error names its source.

    Raises:
        OperationError: it can't be used.
    """
    try:
        return RingText(text, parse_keyring(text, importing=importing))
    except SettingsError as error:
        raise OperationError(f"{source}: key ring: {error}") from None


def ring_file(settings: Settings) -> Path:
    """The path of the key ring's file.

    Raises:
        OperationError: the ring is in a variable.
    """
    if settings.keyring_file is None:
        raise OperationError(f"{variable_name('keyring_file')} must name the file to edit")
    return settings.keyring_file
