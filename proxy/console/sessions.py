"""Sessions of operators: in memory, so that the end of the process or of a session leaves no cookie that works."""

import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_bytes, token_urlsafe

SESSION_SECONDS = 12 * 3600.0
"""How long a session lasts (operations contract, section 5)."""

MOST_SESSIONS = 1000
"""The oldest session ends where more begin."""


@dataclass(frozen=True, slots=True)
class Session:
    """One operator's session.

    Args:
        user: the operator's name in audit rows and on pages.
        csrf_token: what the forms of this session carry.
        is_signed_in: whether a sign-in began it; on loopback without a token, there is none to sign out from.
    """

    user: str
    csrf_token: str
    is_signed_in: bool

    def is_csrf_token(self, text: str) -> bool:
        """Whether a form carries the session's token; in constant time. Without a session there is no token."""
        given = text.encode("utf-8", "replace")
        return bool(self.csrf_token) and hmac.compare_digest(self.csrf_token.encode(), given)


class SessionStore:
    """The sessions of a process, each found by a digest of its cookie."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Tests pass their own clock, in seconds."""
        self._clock = clock
        self._secret = token_bytes(32)
        # In the order of their beginning, so that the oldest is the first.
        self._sessions: dict[bytes, tuple[float, Session]] = {}

    def begin(self, user: str) -> str:
        """Begins a session and returns the value of its cookie."""
        now = self._clock()
        self._sessions = {key: each for key, each in self._sessions.items() if each[0] > now}
        while len(self._sessions) >= MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        cookie = token_urlsafe(32)
        session = Session(user, self._csrf_token(cookie), is_signed_in=True)
        self._sessions[digest_secret(cookie)] = now + SESSION_SECONDS, session
        return cookie

    def find(self, cookie: str) -> Session | None:
        """The session of a cookie; None where there is none, or it has ended."""
        end, session = self._sessions.get(digest_secret(cookie), (0.0, None))
        return session if end > self._clock() else None

    def end(self, cookie: str) -> Session | None:
        """Ends the session of a cookie, and returns it where there was one."""
        session = self.find(cookie)
        self._sessions.pop(digest_secret(cookie), None)
        return session

    def end_all(self) -> None:
        """Ends all sessions."""
        self._sessions.clear()

    def local(self, user: str) -> Session:
        """The session of all on this machine, where the console has no sign-in."""
        return Session(user, self._csrf_token("local"), is_signed_in=False)

    def _csrf_token(self, cookie: str) -> str:
        return hmac.new(self._secret, cookie.encode(), sha256).hexdigest()


def digest_secret(text: str) -> bytes:
    """The digest under which a cookie or a token is kept in memory. Any text has one, also half a character."""
    return sha256(text.encode("utf-8", "replace")).digest()
