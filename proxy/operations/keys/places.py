"""Finds out where the keys of the key ring are."""

from proxy.operations.keys.holder import KeyPlace
from proxy.operations.keys.ring_place import RingPlace
from proxy.operations.keys.ring_text import read_ring, ring_file
from proxy.settings import Settings


def find_keys_place(
    settings: Settings, *, edits: bool = False, makes: bool = False, importing: bool = False
) -> KeyPlace:
    """Where the keys of the ring are, without a request to storage.

    Args:
        settings: name the ring.
        edits: whether the keys are to be changed.
        makes: whether a ring that is not there yet is to be made.
        importing: whether the ring may have both `keys` and `key_store`.

    Raises:
        OperationError: the ring can't be used, or can't be edited.
        SettingsError: the ring's file can't be read.
    """
    if makes and settings.keyring is None and not ring_file(settings).exists():
        return RingPlace(settings, None)
    ring = read_ring(settings, importing=importing)
    if ring.ring.key_store is None:
        if edits:
            ring_file(settings)
        return RingPlace(settings, ring)
    # The SDKs take half a second to load, and a ring of its own keys needs none of them.
    from proxy.operations.keys.store_place import StorePlace  # noqa: PLC0415

    return StorePlace(settings, ring, ring.ring.key_store)
