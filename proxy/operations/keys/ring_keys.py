"""The keys of a ring that has them itself. Its file is edited in one step."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path
from typing import Any

from adapters.model.key_imports import ImportCounts, ImportOutcome, KeyImport
from adapters.model.key_records import FoundKey, KeyRecord
from proxy.keyring.atomic_edit import edit_atomically
from proxy.keyring.file import parse_key, parse_keyring, read_keyring
from proxy.keyring.keyring import DIGEST_PREFIX
from proxy.keyring.models import KeyModel
from proxy.operations.errors import OperationError
from proxy.operations.keys.holder import Progress
from proxy.operations.keys.members import member_of, record_of, shown_digest
from proxy.operations.keys.ring_text import RingText, parse_ring, ring_file
from proxy.settings import Settings, SettingsError

_NO_REVOCATIONS = "a key ring file remembers no revocation: `keys revoke` removes the key, `keys add` adds it again"

_Ring = dict[str, Any]


class RingMembers:
    """The keys of a ring. `ring` is None where the file is still to be made."""

    def __init__(self, settings: Settings, ring: RingText | None) -> None:
        self._settings = settings
        self._ring = ring

    async def iterate(self) -> AsyncIterator[FoundKey]:
        """All keys, in the order of the file."""
        for found in self._found():
            yield found

    async def iterate_account(self, account: str, after: str = "") -> AsyncGenerator[FoundKey, None]:
        """The keys of an account in the order of digests."""
        for found in sorted(self._found(), key=lambda found: found.digest):
            if found.digest > after and found.record is not None and found.record.account == account:
                yield found

    async def get(self, digest: str) -> FoundKey | None:
        """The key of this digest."""
        return next((found for found in self._found() if found.digest == digest), None)

    async def find(self, prefix: str) -> list[FoundKey]:
        """The keys of digests that begin with this text."""
        return [found for found in self._found() if found.digest.startswith(prefix)]

    async def find_named(self, name: str) -> list[FoundKey]:
        """The keys with this name, in any letter case."""
        return [found for found in self._found() if _name(found).lower() == name.lower()]

    async def add(self, record: KeyRecord, in_clear: str | None) -> str:
        """Adds a key. Where there is no file, it makes one with the key's account."""
        path = ring_file(self._settings)

        def add(ring: _Ring) -> None:
            if _written(ring, record.digest) is not None:
                raise OperationError("the key ring has this key already")
            ring["keys"][in_clear or shown_digest(record.digest)] = member_of(record)

        if not await self._edit(add, first=_first_ring(record.account) if self._ring is None else None):
            return ""
        hint = f"set {_storage_variable(record.account)} to the connection string of its storage, or edit the file"
        return f"{path} is made with this account; {hint}"

    async def revoke(self, found: FoundKey) -> bool:
        """Removes a key."""

        def revoke(ring: _Ring) -> None:
            written = _written(ring, found.digest)
            if written is None:
                raise OperationError(f"{shown_digest(found.digest, 12)} is gone from the key ring")
            del ring["keys"][written]

        await self._edit(revoke)
        return True

    async def reinstate(self, found: FoundKey) -> bool:
        """Refuses."""
        raise OperationError(f"{shown_digest(found.digest, 12)} is in force; {_NO_REVOCATIONS}")

    async def put(self, keys: KeyImport, counts: ImportCounts, progress: Progress) -> None:  # noqa: ARG002 - one step
        """Adds and changes keys. A key that the ring has in the clear stays so."""
        counted: ImportCounts = Counter()

        def put(ring: _Ring) -> None:
            known = {parse_key(written).hex(): written for written in ring["keys"]}
            for record in keys.records:
                written = known.get(record.digest, shown_digest(record.digest))
                member = ring["keys"].get(written)
                before = None if member is None else record_of(written, KeyModel.model_validate(member))
                after = keys.merge(record, before)
                if after == before:
                    counted[after.account, ImportOutcome.SAME] += 1
                    continue
                ring["keys"][written] = member_of(after)
                outcome = ImportOutcome.ADDED if before is None else ImportOutcome.CHANGED
                counted[after.account, outcome] += 1

        await self._edit(put)
        counts.update(counted)

    async def prune(self, deleted: Counter[str]) -> None:  # noqa: ARG002 - it refuses
        """Refuses."""
        raise OperationError(f"there is nothing to prune; {_NO_REVOCATIONS}")

    def _found(self) -> list[FoundKey]:
        if self._ring is None:
            return []
        records = {written: record_of(written, key) for written, key in self._ring.keys().items()}
        return [
            FoundKey(record.digest, record, is_in_clear=not written.startswith(DIGEST_PREFIX))
            for written, record in records.items()
        ]

    async def _edit(self, change: Callable[[_Ring], None], first: _Ring | None = None) -> bool:
        """Changes the ring's file. Returns whether it was made, of `first`, because there was none."""
        return await asyncio.to_thread(self._edit_now, change, first)  # edits wait for each other

    def _edit_now(self, change: Callable[[_Ring], None], first: _Ring | None) -> bool:
        path, is_first = ring_file(self._settings), False
        try:
            with edit_atomically(path) as ring:
                is_first = first is not None and not path.exists()
                ring.update(first if first and is_first else _members(path))
                change(ring)
                parse_keyring(json.dumps(ring))
        except SettingsError as error:
            raise OperationError(f"key ring: {error}; nothing was changed") from None
        except OSError as error:
            raise OperationError(f"{path}: {error.strerror}; nothing was changed") from None
        return is_first


def _members(path: Path) -> _Ring:
    return dict(json.loads(parse_ring(read_keyring(path), path).text))


def _written(ring: _Ring, digest: str) -> str | None:
    """How a ring writes a key; None where it has no such key."""
    return next((written for written in ring["keys"] if parse_key(written).hex() == digest), None)


def _name(found: FoundKey) -> str:
    return (found.record and found.record.name) or ""


def _first_ring(account: str) -> _Ring:
    """Returns a key ring with one account and no key. The connection string, a secret, stays outside the file."""
    return {"accounts": {account: {"storage": {"connection_string_env": _storage_variable(account)}}}, "keys": {}}


def _storage_variable(account: str) -> str:
    name = re.sub("[^A-Z0-9]", "_", account.upper())
    return f"{'_' if name[:1].isdigit() else ''}{name}_STORAGE"
