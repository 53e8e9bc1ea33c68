"""The token that signs in: its file, and the throttle of guesses."""

import asyncio
import hmac
import logging
import time
from collections.abc import Callable
from pathlib import Path

from proxy.api.auth_throttle import AuthThrottle
from proxy.console.sessions import digest_secret
from proxy.settings import SettingsError, variable_name

log = logging.getLogger(__name__)

SHORTEST_TOKEN = 20
"""Characters of a token. Fewer can be guessed."""

READ_SECONDS = 1.0
"""How long a token that was read counts for sessions. A sign-in reads the file anew."""

# Wrong tokens that a network may try at once, and then per second.
BURST = 10
PER_SECOND = 1.0


def read_token(path: Path) -> str:
    """The token in a file.

    Raises:
        SettingsError: the file can't be read, or has a text that is too short or is no token.
    """
    name = variable_name("console_token_file")
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no UTF-8"
        raise SettingsError(f"{name}: {path}: can't be read: {reason}") from None
    if len(token) < SHORTEST_TOKEN:
        raise SettingsError(f"{name}: {path}: has {len(token)} characters; a token has at least {SHORTEST_TOKEN}")
    if not token.isprintable() or " " in token:
        raise SettingsError(f"{name}: {path}: must have one line without blanks: the token")
    return token


class TooManyTokensError(Exception):
    """The client's network has tried too many tokens."""


class TokenSignIn:
    """Checks tokens against the one of a file, which may change.

    Args:
        path: the file.
        clock: tests pass their own, in seconds.

    Raises:
        SettingsError: the file can't be used.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._clock = path, clock
        self._throttle = AuthThrottle(clock, burst=BURST, per_second=PER_SECOND)
        self._digest = digest_secret(read_token(path))
        self._read_at = clock()
        self._has_changed = self._is_lost = False

    async def is_right(self, given: str, address: str) -> bool:
        """Whether this is the token. The file is read anew, and guesses of one network wait.

        Raises:
            TooManyTokensError: too many wrong tokens came from the client's network.
            SettingsError: the file can't be used.
        """
        digest = digest_secret(given)
        seconds = self._throttle.delay(address, digest)
        if seconds is None:
            raise TooManyTokensError
        await asyncio.sleep(seconds)
        self._note(digest_secret(read_token(self._path)))
        if hmac.compare_digest(digest, self._digest):
            self._throttle.record_success(address, digest)
            return True
        self._throttle.record_failure(address, digest)
        return False

    def take_change(self) -> bool:
        """Whether the token is another one than at the last call: sessions that began with the old one end."""
        if self._clock() - self._read_at > READ_SECONDS:
            try:
                self._note(digest_secret(read_token(self._path)))
            except SettingsError as error:  # it is being replaced; sessions go on
                self._read_at = self._clock()
                if not self._is_lost:
                    log.warning("%s", error)
                self._is_lost = True
        has_changed, self._has_changed = self._has_changed, False
        return has_changed

    def _note(self, digest: bytes) -> None:
        self._read_at, self._is_lost = self._clock(), False
        if digest != self._digest:
            self._digest, self._has_changed = digest, True
            log.info("the token has changed: all sessions end")
