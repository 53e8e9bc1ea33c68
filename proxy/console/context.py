"""What every page of the console needs."""

from dataclasses import dataclass

from starlette.requests import Request

from adapters.account import AccountStorage
from adapters.accounts import AccountRegistry
from proxy.console.entra_access import EntraAccess
from proxy.console.errors import PageNotFoundError
from proxy.console.sent_files import SentFiles
from proxy.console.sessions import Session, SessionStore
from proxy.console.token_sign_in import TokenSignIn
from proxy.keyring.reload import ActiveKeyRing
from proxy.operations.entity_queries import EntityQueries
from proxy.operations.overview import OverviewReader
from proxy.settings import Settings
from proxy.worker.reader_pool import ReaderPool


@dataclass(frozen=True, slots=True)
class Console:
    """The state of the console's process.

    Args:
        settings: the settings.
        ring: the key ring in use.
        access: how one signs in; None: all on this machine may use the console.
        sessions: those that sign-ins began.
        operator: the name of changes that no sign-in names.
        queries: runs queries on this machine.
        readers: processes that read files of data.
        overview: reads how the accounts are.
        files: what operators have sent to load.
    """

    settings: Settings
    ring: ActiveKeyRing
    access: TokenSignIn | EntraAccess | None
    sessions: SessionStore
    operator: str
    queries: EntityQueries
    readers: ReaderPool
    overview: OverviewReader
    files: SentFiles

    @property
    def accounts(self) -> AccountRegistry:
        """The accounts of the key ring in use."""
        return self.ring.accounts


def console_of(request: Request) -> Console:
    """The console that serves a request."""
    console = request.app.state.console
    if not isinstance(console, Console):
        raise TypeError("the application has no console")
    return console


def session_of(request: Request) -> Session:
    """The session of a request. The request guard has found it."""
    session = request.scope["console.session"]
    if not isinstance(session, Session):
        raise TypeError("the request guard has not seen this request")
    return session


def account_of(request: Request) -> AccountStorage:
    """The account that the path names.

    Raises:
        PageNotFoundError: the key ring has no such account.
        StorageError: its credential can't be used.
    """
    console, name = console_of(request), request.path_params["account"]
    if name not in console.accounts.names:
        raise PageNotFoundError("The key ring has no account of this name.")
    return console.accounts[name]


def choose_account(request: Request) -> AccountStorage:
    """The account of the query parameter `account`, by default the first one.

    Raises:
        PageNotFoundError: the key ring has no such account.
        StorageError: its credential can't be used.
    """
    return console_of(request).accounts[choose_account_name(request)]


def choose_account_name(request: Request) -> str:
    """The name of the account that the path or the query parameter `account` has, by default the first one.

    Raises:
        PageNotFoundError: the key ring has no such account.
    """
    names = console_of(request).accounts.names
    name = request.path_params.get("account") or request.query_params.get("account") or names[0]
    if name not in names:
        raise PageNotFoundError("The key ring has no account of this name.")
    return str(name)
