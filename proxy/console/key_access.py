"""How pages get at the keys of the key ring, which may have changed since the last request."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request

from proxy.console.context import Console, console_of, session_of
from proxy.operations.errors import OperationError
from proxy.operations.keys.holder import KeyHolder, KeyPlace
from proxy.operations.keys.key_editor import KeyEditor
from proxy.operations.keys.places import find_keys_place


async def find_place(console: Console) -> KeyPlace:
    """Where the keys are now.

    Raises:
        OperationError: the ring can't be used.
        SettingsError: the ring's file can't be read.
    """
    return await asyncio.to_thread(find_keys_place, console.settings)


async def require_editable_place(request: Request) -> KeyPlace:
    """Where the keys are, for a page that changes them.

    Raises:
        OperationError: this process can't change them; the text says why.
    """
    place = await find_place(console_of(request))
    if (refusal := place.find_refusal()) is not None:
        raise OperationError(refusal)
    return place


@asynccontextmanager
async def open_editor(request: Request, place: KeyPlace) -> AsyncIterator[tuple[KeyHolder, KeyEditor]]:
    """Opens the keys to change them in the name of the one who is signed in.

    Raises:
        OperationError: inside the block, for what goes wrong with a key store.
    """
    async with place.open(changes=True) as keys:
        yield keys, KeyEditor(keys, console_of(request).accounts, session_of(request).user)
