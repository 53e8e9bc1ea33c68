"""The cookies of the console: their names, their attributes, and how they are found again."""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.types import Scope

from proxy.settings import Settings

SESSION = "console_session"

# A browser takes a cookie of such a name by https only, for this very host, so that no neighbour can plant one.
HOST_PREFIX = "__Host-"

LOOPBACK_NAMES = frozenset(("127.0.0.1", "localhost", "[::1]"))


def is_loopback_name(host: str) -> bool:
    """Whether a host name, with or without a port, is one that browsers resolve to the machine they run on."""
    return has_name(host, LOOPBACK_NAMES)


def has_name(host: str, names: Collection[str]) -> bool:
    """Whether a host, with or without a port, has one of these names."""
    name, _, port = host.rpartition(":")
    return host in names or (port.isdecimal() and name in names)


class CookieJar:
    """Reads and writes the cookies of one request's client.

    Args:
        settings: the settings.
        scope: the request, with the scheme that a trusted proxy gave it.
    """

    def __init__(self, settings: Settings, scope: Scope) -> None:
        headers = Headers(scope=scope)
        self._cookies = cookie_parser("; ".join(headers.getlist("cookie")))
        is_entra = settings.console_auth == "entra"
        is_public = is_entra and bool(settings.console_name) and not is_loopback_name(settings.console_name)
        self._is_https = scope["scheme"] == "https" or is_public
        # Where TLS ends at a proxy that is not named, only the browser's own header says so.
        self._has_tls = self._is_https or headers.get("origin", "").lower().startswith("https://")
        self._is_secure = self._has_tls or is_entra

    def find(self, name: str) -> str:
        """The value of a cookie; empty where the client has none."""
        names = (HOST_PREFIX + name,) if self._is_https else (HOST_PREFIX + name, name)
        return next((self._cookies[each] for each in names if each in self._cookies), "")

    def set(self, response: Response, name: str, value: str, *, seconds: int, is_cross_site: bool = False) -> None:
        """Adds a cookie to a response.

        Args:
            response: the response.
            name: the name, without the prefix.
            value: the value.
            seconds: its lifetime; 0 deletes it.
            is_cross_site: whether a link of another site brings it along too (SameSite=Lax), or nothing does (Strict).
        """
        response.set_cookie(
            HOST_PREFIX + name if self._has_tls else name,
            value,
            max_age=seconds,
            expires=None if seconds else 0,
            path="/",
            httponly=True,
            secure=self._is_secure,
            samesite="lax" if is_cross_site else "strict",
        )

    def delete(self, response: Response, name: str) -> None:
        """Deletes a cookie."""
        self.set(response, name, "", seconds=0)
