"""A key ring with keys of its own, in a file or in a variable."""

import os
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from proxy.operations.keys.holder import KeyHolder
from proxy.operations.keys.ring_keys import RingMembers
from proxy.operations.keys.ring_text import RingText
from proxy.settings import Settings, variable_name


class RingPlace:
    """The ring itself. `ring` is None where the file is still to be made."""

    is_store = False

    def __init__(self, settings: Settings, ring: RingText | None) -> None:
        self._settings = settings
        self._ring = ring

    @property
    def accounts(self) -> Collection[str] | None:
        """The accounts of the ring."""
        return None if self._ring is None else self._ring.ring.accounts

    @property
    def ring_text(self) -> str:
        """The JSON of the ring."""
        return "" if self._ring is None else self._ring.text

    def find_refusal(self) -> str | None:
        """A sentence that says why the ring can't be edited; None where it can."""
        path = self._settings.keyring_file
        if path is None:
            return (
                f"The key ring is in {variable_name('keyring')}, which no process can change. Put it into a file and"
                f" name that in {variable_name('keyring_file')}, or give the ring a key_store."
            )
        target = path.resolve()
        if not os.access(target, os.W_OK) or not os.access(target.parent, os.W_OK):
            allow = "Allow this process to write the file and its folder, or give the ring a key_store"
            return f"The key ring file {path} can't be written. {allow}."
        if target.is_mount():
            return f"The key ring file {path} is a mount of its own, so that it can't be replaced. Mount its folder."
        return None

    @asynccontextmanager
    async def open(self, *, changes: bool) -> AsyncIterator[KeyHolder]:  # noqa: ARG002 - a file has no roles
        """Opens the keys."""
        yield RingMembers(self._settings, self._ring)
