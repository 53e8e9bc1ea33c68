"""Finds out where the keys of the key ring are."""

from proxy.cli.keys.holder import KeyPlace
from proxy.cli.keys.ring_keys import RingMembers
from proxy.cli.keys.ring_text import read_ring, ring_file
from proxy.settings import Settings, load_settings


def find_keys_place(*, edits: bool = False, makes: bool = False, importing: bool = False) -> KeyPlace:
    """Where the keys of the ring are, by the settings of this process; without a request to storage.

    Args:
        edits: whether the keys are to be changed.
        makes: whether a ring that is not there yet is to be made.
        importing: whether the ring may have both `keys` and `key_store`.

    Raises:
        CommandError: the ring can't be used, or can't be edited.
        SettingsError: a setting is wrong, or the ring's file can't be read.
    """
    settings: Settings = load_settings()
    if makes and settings.keyring is None and not ring_file(settings).exists():
        return RingMembers(settings, None)
    ring = read_ring(settings, importing=importing)
    if ring.ring.key_store is None:
        if edits:
            ring_file(settings)
        return RingMembers(settings, ring)
    # The SDKs take half a second to load, and a ring of its own keys needs none of them.
    from proxy.cli.keys.store_keys import StorePlace  # noqa: PLC0415

    return StorePlace(settings, ring, ring.ring.key_store)
