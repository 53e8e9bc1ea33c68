"""Who asks, and what may be judged of a request before storage is asked."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from adapters.account import Account
from adapters.accounts import Accounts
from proxy.bing.errors import ErrorCode, WireError
from proxy.bing.job_types import Kind
from proxy.bing.request import Call, Format, Query, is_data_source_name
from proxy.bing.routes import NOT_SERVED, Operation
from proxy.body import Body
from proxy.keyring import Grant, Role
from proxy.settings import Settings
from proxy.under_way import UnderWay, Uploads


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: what the key may do, the accounts, what was sent, what is done to its end."""

    grant: Grant
    base: str
    """The base of the links that stay on the proxy, without a slash at its end."""
    accounts: Accounts
    settings: Settings
    query: Query
    body: Body
    under_way: UnderWay
    uploads: Uploads
    has_key: Callable[[bytes], Awaitable[bool]]
    """Whether a key is one of the caller's account."""

    @property
    def account(self) -> Account:
        """The account that the key opened.

        Raises:
            StorageFaultError: its credential can't be used.
        """
        return self.accounts[self.grant.account]

    @property
    def answer(self) -> Format:
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


def check(call: Call, grant: Grant, query: Query) -> None:
    """Judges a call by what its key may do, and then by its own form; storage has not been asked yet.

    Raises:
        WireError: the key may not do this, the call is malformed, or nobody may do it here.
    """
    if call.operation not in _FOR_ANY_KEY and call.kind is not Kind.GEOCODE and not depends_on_job(call, grant):
        grant.require_master()
    if call.kind is Kind.GEOCODE and grant.is_restricted:
        raise WireError(ErrorCode.OTHER_DATA_SOURCE)
    name = query.parameters.get("datasourcename", "") if call.operation is Operation.LOAD else call.name
    if name and not grant.allows(name):
        raise WireError(ErrorCode.OTHER_DATA_SOURCE)
    if call.operation in NOT_SERVED:
        raise WireError(ErrorCode.NOT_SERVED, values={"what": NOT_SERVED[call.operation]})
    if not depends_on_job(call, grant):
        query.check()
    if call.name and not is_data_source_name(call.name):
        raise WireError(ErrorCode.BAD_DATA_SOURCE_NAME)


def depends_on_job(call: Call, grant: Grant) -> bool:
    """Whether only the job tells what the key may do: a query key may have the output of a geocode job, of no other."""
    is_any_output = call.operation is Operation.JOB_OUTPUT and call.kind is Kind.LISTED
    return is_any_output and grant.role is Role.QUERY and not grant.is_restricted
