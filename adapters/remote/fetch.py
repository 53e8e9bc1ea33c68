"""Data that lies elsewhere: fetches a URL that a caller named, without becoming the caller's hand in our network.

Only https, only hosts that the configuration names, only addresses on the public internet, looked up once and held to,
no redirects, so many bytes in so many seconds. The account's own blob endpoint is exempt from the first and the third:
it may be an emulator's or a private endpoint, and is the one place that we talk to anyway.
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
PIECE = 1024 * 1024

# A name that no system takes for a number: the last label begins with a letter.
_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,62})\.)*[a-z][a-z0-9-]{0,62}", re.ASCII)

# Printable ASCII stands as it is, for a signature covers it; all else is percent-encoded.
_AS_IT_IS = "".join(map(chr, range(0x21, 0x7F)))


class FetchError(Exception):
    """The data could not be fetched. The text says why, in one line for the caller, without the URL's path and query.

    `passing` tells that another try may succeed.
    """

    def __init__(self, text: str, *, passing: bool = False) -> None:
        super().__init__(text)
        self.passing = passing


def check_location(url: str, hosts: frozenset[str], own: str) -> URL:
    """The URL as it will be asked for, if it may be; nobody is asked.

    Args:
        url: where the data is said to be.
        hosts: names of hosts that may be asked, in lower case, by https on its usual port; or `name:port`.
        own: the account's own blob endpoint, a URL.

    Raises:
        LocationError: it may not.
    """
    try:
        # One parser only, the one that the request is made with: where two differ there is a way around the first.
        location, home = URL(quote(url, safe=_AS_IT_IS), encoded=True), URL(own, encoded=True)
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
    url: str, hosts: frozenset[str], own: str, file: Path, most: int, seconds: float
) -> None:
    """Fetches a URL to a local file, of at most so many bytes, within so many seconds.

    `hosts` and `own` as `check_location` takes them. What fails leaves no file behind.

    Raises:
        LocationError: it could not be fetched, or may not be.
        OSError: the file could not be written.
    """
    location = check_location(url, hosts, own)
    is_own = _origin(location) == _origin(URL(own, encoded=True))
    complete = False
    try:
        async with asyncio.timeout(seconds):
            await _fetch(location, await _resolve(location, anywhere=is_own), file, most)
        complete = True
    except TimeoutError:
        raise FetchError(f"the data location did not give all within {seconds:g} seconds", passing=True) from None
    except (aiohttp.ClientError, socket.gaierror, ssl.SSLError, ConnectionError) as error:
        # Their text may hold the URL. Other errors of the system are our disk's, and none of the caller's business.
        raise FetchError(f"the data location can't be reached: {type(error).__name__}", passing=True) from None
    finally:
        if not complete:
            await asyncio.to_thread(file.unlink, missing_ok=True)


async def _resolve(location: URL, *, anywhere: bool) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(location.host, location.port, type=socket.SOCK_STREAM)
    addresses = [str(address[0]) for *_, address in found]
    if not anywhere and not all(map(is_public, addresses)):
        raise FetchError("the data location is on a host that is not on the public internet")
    return addresses


async def _fetch(location: URL, addresses: list[str], file: Path, most: int) -> None:
    # No proxy of the environment stands between: it would look the name up by itself.
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
            passing = answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
            raise FetchError(f"the data location answers with HTTP {answer.status}", passing=passing)
        too_large = FetchError(f"the data location holds more than {most} bytes")
        if (answer.content_length or 0) > most:
            raise too_large
        left = most
        with await asyncio.to_thread(file.open, "wb") as target:
            async for piece in answer.content.iter_chunked(PIECE):
                left -= len(piece)
                if left < 0:
                    raise too_large
                await asyncio.to_thread(target.write, piece)


def _origin(url: URL) -> tuple[str, str | None, int | None]:
    return url.scheme, url.host, url.port


class _PinnedResolver(AbstractResolver):
    """Gives the addresses that were looked up and checked, whatever the name says by now."""

    def __init__(self, addresses: list[str]) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        del family  # all were looked up
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
