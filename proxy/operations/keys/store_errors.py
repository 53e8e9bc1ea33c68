"""Says what an operator does about an error of the key store, such as which role an identity needs."""

from contextlib import suppress
from http import HTTPStatus

from adapters.errors import StorageError, StorageErrorCode
from adapters.tables.key_table import KeyTable

READER, CONTRIBUTOR = "Storage Table Data Reader", "Storage Table Data Contributor"


def is_refusal(error: StorageError) -> bool:
    """Whether storage knows the credential and refuses it, as it does until a new role is in force."""
    return error.detail.startswith(f"HTTP {HTTPStatus.FORBIDDEN:d},") and not _has_no_token(error)


async def describe_error(table: KeyTable, error: StorageError, role: str) -> str:
    """An error in one line: what is wrong, and what to do.

    Args:
        table: the key store's table.
        error: what storage answered, or the identity library.
        role: the role that the request needs.
    """
    if error.code is StorageErrorCode.NO_TABLE:
        return (
            f"the storage account {table.account_name} has no table {table.name}; `keys add` and `keys import` make it"
        )
    if is_refusal(error):
        return f"{error}: {await _describe_refusal(table, role)}"
    if _has_no_token(error):
        return f"{error}: the identity gets no token; sign in with az login, or correct the key ring's key_store"
    return f"{error} ({error.code.value.hint})"


def _has_no_token(error: StorageError) -> bool:
    """Whether the identity library has failed: its error has no HTTP status, or a code of Microsoft Entra."""
    is_its_own = not error.detail.startswith("HTTP") or "AADSTS" in error.detail
    return error.code is StorageErrorCode.ACCESS_DENIED and is_its_own


async def _describe_refusal(table: KeyTable, role: str) -> str:
    place = f"the table {table.name} of the storage account {table.account_name}"
    identity = None
    with suppress(StorageError):
        identity = await table.object_id()
    if identity is None:
        return f"{place} can't be used with this credential; correct the key ring's key_store"
    return (
        f"the identity {identity} needs the role {role} on {place}; a new role takes up to 30 minutes; if it has the"
        " role, look at the firewall of the storage account"
    )
