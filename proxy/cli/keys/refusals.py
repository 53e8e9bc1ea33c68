"""Says which role an identity needs on the key store."""

from contextlib import suppress
from http import HTTPStatus

from adapters.errors import StorageError, StorageErrorCode
from adapters.tables.key_table import KeyTable

READER, CONTRIBUTOR = "Storage Table Data Reader", "Storage Table Data Contributor"


def is_refusal(error: StorageError) -> bool:
    """Whether storage knows the credential and refuses it, as it does until a new role is in force."""
    return error.code is StorageErrorCode.ACCESS_DENIED and error.detail.startswith(f"HTTP {HTTPStatus.FORBIDDEN:d}")


async def describe_refusal(table: KeyTable, error: StorageError, role: str) -> str:
    """The identity's object id, the role that it needs, and the table.

    Args:
        table: the key store's table.
        error: what storage answered.
        role: the role that the request needs.
    """
    place = f"the table {table.name} of the storage account {table.account_name}"
    identity = None
    with suppress(StorageError):
        identity = await table.object_id()
    if identity is None:
        return f"{error}: {place} can't be used with this credential; correct the key ring's key_store"
    return (
        f"{error}: the identity {identity} needs the role {role} on {place}; a new role takes up to 30"
        " minutes; if it has the role, look at the firewall of the storage account"
    )
