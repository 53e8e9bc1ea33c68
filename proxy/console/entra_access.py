"""Sign-ins by Microsoft Entra ID that are under way, and the URL that Entra sends browsers back to."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_urlsafe

from adapters.entra.code_flow import StartedFlow
from adapters.entra.sign_in import EntraSignIn
from proxy.console.session_cookie import is_loopback_name
from proxy.console.sessions import digest_secret

PENDING_SECONDS = 600.0
"""How long a person may take at Entra."""

MOST_PENDING = 10_000
"""The oldest is given up where more begin."""

CALLBACK = "/sign-in/callback"


@dataclass(frozen=True, slots=True)
class PendingSignIn:
    """A browser that is at Entra.

    Args:
        flow: what Entra's answer must belong to.
        target: the page to go to in the end.
        ends: when it is too late, by the clock.
    """

    flow: StartedFlow
    target: str
    ends: float


class PendingSignIns:
    """The sign-ins that are under way, each found once by its cookie."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Tests pass their own clock, in seconds."""
        self._clock = clock
        self._pending: OrderedDict[bytes, PendingSignIn] = OrderedDict()

    def add(self, flow: StartedFlow, target: str) -> str:
        """Adds one and returns the value of its cookie."""
        cookie = token_urlsafe(32)
        self._pending[digest_secret(cookie)] = PendingSignIn(flow, target, self._clock() + PENDING_SECONDS)
        if len(self._pending) > MOST_PENDING:
            self._pending.popitem(last=False)
        return cookie

    def take(self, cookie: str) -> PendingSignIn | None:
        """Takes the one of a cookie out; None where there is none, or it took too long."""
        pending = self._pending.pop(digest_secret(cookie), None)
        return pending if pending is not None and pending.ends > self._clock() else None


@dataclass(frozen=True, slots=True)
class EntraAccess:
    """How one signs in by Entra.

    Args:
        name: PROXY_CONSOLE_NAME; empty where the console is on loopback.
        entra: signs people in.
        pending: the sign-ins under way.
    """

    name: str
    entra: EntraSignIn
    pending: PendingSignIns = field(default_factory=PendingSignIns)

    def url_of(self, path: str, host: str) -> str:
        """The console's URL of a path: by https, but for loopback.

        Args:
            path: the path.
            host: the request's `Host`. It counts where there is no name: then the guard lets only loopback pass.
        """
        name = self.name or host
        return f"{'http' if is_loopback_name(name) else 'https'}://{name}{path}"
