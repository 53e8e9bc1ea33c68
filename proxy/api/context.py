"""The context of a call, and what can be checked of it before storage is read."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from adapters.account import AccountStorage
from adapters.accounts import AccountRegistry
from adapters.errors import StorageError, StorageErrorCode
from proxy.api.request_body import RequestBody
from proxy.api.shielded_tasks import ShieldedTasks, Uploads
from proxy.keyring.keyring import KeyGrant, Role
from proxy.settings import Settings
from proxy.wire.errors import ApiError, ErrorCode
from proxy.wire.job_types import StatusPath
from proxy.wire.request import ApiCall, Format, QueryParameters, is_data_source_name
from proxy.wire.routes import NOT_SERVED, Operation


@dataclass(frozen=True, slots=True)
class CallContext:
    """What a handler needs beside the call: the key's grant, the accounts, what was sent, and shared state."""

    grant: KeyGrant
    base: str
    """The base of the links that stay on the proxy, without a slash at its end."""
    accounts: AccountRegistry
    settings: Settings
    query: QueryParameters
    body: RequestBody
    shielded_tasks: ShieldedTasks
    uploads: Uploads
    has_key: Callable[[bytes], Awaitable[bool]]
    """Whether a key is one of the caller's account."""

    @property
    def account(self) -> AccountStorage:
        """The account that the key opened.

        Raises:
            StorageError: its credential can't be used.
        """
        return self.accounts[self.grant.account]

    @property
    def format(self) -> Format:
        """The format to respond in."""
        return self.query.format

    @property
    def key(self) -> bytes:
        """The caller's own key."""
        return self.query.key or b""


# What any key of an account may do, beside following geocode jobs. The rest needs a master key.
_FOR_ANY_KEY = {
    Operation.JOB_LIST,
    Operation.DATA_SOURCES,
    Operation.DATA_SOURCE,
    Operation.ALL_METADATA,
    Operation.METADATA,
    Operation.PUBLIC_DATA_SOURCES,
    Operation.QUERY,
    Operation.BING_DATA,
    Operation.BOUNDARIES,
}


def authorize(call: ApiCall, grant: KeyGrant, query: QueryParameters) -> None:
    """Checks what the key may do, and then the call's own form. Storage is not read for that.

    Raises:
        ApiError: the key may not do this, the call is malformed, or this endpoint does not serve it.
    """
    needs_master = call.operation not in _FOR_ANY_KEY and call.status_path is not StatusPath.GEOCODE
    if needs_master and grant.role is not Role.MASTER and not depends_on_job(call, grant):
        raise ApiError(ErrorCode.MASTER_KEY_NEEDED)
    if call.status_path is StatusPath.GEOCODE and grant.is_restricted:
        raise ApiError(ErrorCode.OTHER_DATA_SOURCE)
    name = query.parameters.get("datasourcename", "") if call.operation is Operation.LOAD else call.name
    if name and not grant.allows(name):
        raise ApiError(ErrorCode.OTHER_DATA_SOURCE)
    if call.operation in NOT_SERVED:
        raise ApiError(ErrorCode.NOT_SERVED, values={"what": NOT_SERVED[call.operation]})
    if not depends_on_job(call, grant):
        query.check()
    if call.name and not is_data_source_name(call.name):
        raise ApiError(ErrorCode.BAD_DATA_SOURCE_NAME)


def depends_on_job(call: ApiCall, grant: KeyGrant) -> bool:
    """Whether the job decides what the key may do: a query key may get the outputs of geocode jobs only."""
    is_any_output = call.operation is Operation.JOB_OUTPUT and call.status_path is StatusPath.LISTED
    return is_any_output and grant.role is Role.QUERY and not grant.is_restricted


@asynccontextmanager
async def storage_deadline(seconds: float, since: float | None = None) -> AsyncIterator[None]:
    """Ends work with storage that takes longer.

    Args:
        seconds: how long all of the work may take.
        since: when it began, by the event loop's clock; None: now.

    Raises:
        StorageError: it took longer.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout_at((loop.time() if since is None else since) + seconds):
            yield
    except TimeoutError:
        raise StorageError(StorageErrorCode.TIMEOUT, f"nothing within {seconds:g} s") from None
