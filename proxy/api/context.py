"""Who asks, and what may be judged of a request before storage is asked."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from adapters.account import AccountStorage
from adapters.accounts import AccountRegistry
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
    """Who asks: what the key may do, the accounts, what was sent, what is done to its end."""

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
            StorageFaultError: its credential can't be used.
        """
        return self.accounts[self.grant.account]

    @property
    def format(self) -> Format:
        """The format to answer in."""
        return self.query.format

    @property
    def key(self) -> bytes:
        """The caller's own key."""
        return self.query.key or b""


# What any key of an account may do, beside following geocode jobs; all else takes a master key.
_FOR_ANY_KEY = frozenset(
    (
        Operation.JOB_LIST,
        Operation.DATA_SOURCES,
        Operation.DATA_SOURCE,
        Operation.ALL_METADATA,
        Operation.METADATA,
        Operation.PUBLIC_DATA_SOURCES,
        Operation.QUERY,
        Operation.BING_DATA,
        Operation.BOUNDARIES,
    )
)


def authorize(call: ApiCall, grant: KeyGrant, query: QueryParameters) -> None:
    """Judges a call by what its key may do, and then by its own form; storage has not been asked yet.

    Raises:
        WireError: the key may not do this, the call is malformed, or nobody may do it here.
    """
    if call.operation not in _FOR_ANY_KEY and call.kind is not StatusPath.GEOCODE and not depends_on_job(call, grant):
        grant.require_master()
    if call.kind is StatusPath.GEOCODE and grant.is_restricted:
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
    """Whether only the job tells what the key may do: a query key may have the output of a geocode job, of no other."""
    is_any_output = call.operation is Operation.JOB_OUTPUT and call.kind is StatusPath.LISTED
    return is_any_output and grant.role is Role.QUERY and not grant.is_restricted
