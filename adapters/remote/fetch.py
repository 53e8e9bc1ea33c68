"""Downloads a caller-supplied URL (`dataLocation`) without allowing server-side request forgery (SSRF).

Only https, configured hosts and public addresses; the addresses are resolved once and pinned. No redirects; bytes and
seconds are bounded. The account's own blob endpoint may be an emulator's or a private one, so it is exempt from https
and public addresses: the program connects to it anyway.
"""

import asyncio
import re
import socket
import ssl
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from adapters.remote.public_addresses import is_public

HTTPS_PORT = 443
BLOCK = 1024 * 1024

# A host name that no system parses as a number: the last label begins with a letter.
_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,62})\.)*[a-z][a-z0-9-]{0,62}", re.ASCII)

# Printable ASCII stays, since a signature covers it; all else is percent-encoded.
_UNCHANGED = "".join(map(chr, range(0x21, 0x7F)))


class FetchError(Exception):
    """The data could not be fetched. The text says why, in one line for the caller, without the URL's path and query.

    `is_transient`: another attempt may succeed.
    """

    def __init__(self, text: str, *, is_transient: bool = False) -> None:
        super().__init__(text)
        self.is_transient = is_transient


def check_location(url: str, hosts: frozenset[str], own_endpoint: str) -> URL:
    """Checks a URL, without a request.

    Args:
        url: the caller's URL.
        hosts: allowed hosts in lower case: `name` for https on its usual port, or `name:port`.
        own_endpoint: the URL of the account's own blob endpoint.

    Returns:
        The URL to request.

    Raises:
        FetchError: the URL is not allowed.
    """
    try:
        # The request uses the same parser: a difference between two parsers would be a way around the first.
        location, home = URL(quote(url, safe=_UNCHANGED), encoded=True), URL(own_endpoint, encoded=True)
        host, port = location.host, location.port
    except ValueError:
        raise FetchError("the data location is not a URL") from None
    if location.scheme not in {"http", "https"} or not host or not port:
        raise FetchError("the data location is not an http or https URL")
    if location.user is not None or location.password is not None:
        raise FetchError("the data location holds a user's name or password")
    if _origin(location) == _origin(home):
        return location.with_fragment(None)
    if location.scheme != "https":
        raise FetchError("the data location is not an https URL")
    if f"{host}:{port}" not in hosts and not (host in hosts and port == HTTPS_PORT):
        raise FetchError("the data location is on a host that data may not be fetched from")
    if not _NAME.fullmatch(host) and not is_public(host):
        raise FetchError("the data location is on a host that is not on the public internet")
    return location.with_fragment(None)


async def fetch_location(  # noqa: PLR0913, PLR0917 - each bound is its own, and none has a default
    url: str, hosts: frozenset[str], own_endpoint: str, file: Path, max_bytes: int, seconds: float
) -> None:
    """Downloads a URL to a local file, of at most `max_bytes`, within so many seconds. A failure leaves no file behind.

    `url`, `hosts` and `own_endpoint` are as for `check_location`.

    Raises:
        FetchError: the URL could not be fetched, or is not allowed.
        OSError: the file could not be written.
    """
    location = check_location(url, hosts, own_endpoint)
    is_own = _origin(location) == _origin(URL(own_endpoint, encoded=True))
    complete = False
    try:
        async with asyncio.timeout(seconds):
            await _fetch(location, await _resolve(location, anywhere=is_own), file, max_bytes)
        complete = True
    except TimeoutError:
        raise FetchError(f"the data location did not give all within {seconds:g} seconds", is_transient=True) from None
    except (aiohttp.ClientError, socket.gaierror, ssl.SSLError, ConnectionError) as error:
        # Their text may hold the URL. Other system errors concern the local disk, not the caller.
        raise FetchError(f"the data location can't be reached: {type(error).__name__}", is_transient=True) from None
    finally:
        if not complete:
            await asyncio.to_thread(file.unlink, missing_ok=True)


async def _resolve(location: URL, *, anywhere: bool) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(location.host, location.port, type=socket.SOCK_STREAM)
    addresses = [str(address[0]) for *_, address in found]
    if not anywhere and not all(map(is_public, addresses)):
        raise FetchError("the data location is on a host that is not on the public internet")
    return addresses


async def _fetch(location: URL, addresses: list[str], file: Path, max_bytes: int) -> None:
    # Without the environment's proxies: a proxy would resolve the name itself.
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(resolver=_PinnedResolver(addresses), use_dns_cache=False),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        timeout=aiohttp.ClientTimeout(total=None),
    )
    headers = {"Accept-Encoding": "identity", "User-Agent": "spatial-data-proxy"}
    async with session, session.get(location, headers=headers, allow_redirects=False) as answer:
        if answer.status in range(HTTPStatus.MULTIPLE_CHOICES, HTTPStatus.BAD_REQUEST):
            raise FetchError("the data location answers with a redirect")
        if answer.status != HTTPStatus.OK:
            is_transient = answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
            raise FetchError(f"the data location answers with HTTP {answer.status}", is_transient=is_transient)
        too_large = FetchError(f"the data location holds more than {max_bytes} bytes")
        if (answer.content_length or 0) > max_bytes:
            raise too_large
        left = max_bytes
        with file.open("wb") as target:  # not in a thread, as a caller that is cancelled would leave it open
            async for piece in answer.content.iter_chunked(BLOCK):
                left -= len(piece)
                if left < 0:
                    raise too_large
                await asyncio.to_thread(target.write, piece)


def _origin(url: URL) -> tuple[str, str | None, int | None]:
    return url.scheme, url.host, url.port


class _PinnedResolver(AbstractResolver):
    """Returns the addresses that were checked, whatever the name resolves to by now."""

    def __init__(self, addresses: list[str]) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        del family  # the addresses of all families are pinned
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self._addresses
        ]

    async def close(self) -> None:
        """There is nothing to close."""
