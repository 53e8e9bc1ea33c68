"""Polls by a Python library: `poll.py LIBRARY URL...`."""

import asyncio
import sys
from collections.abc import Callable
from importlib import import_module
from urllib.request import urlopen


def ask_by_requests(url: str) -> int:
    """Asks by requests."""
    return int(import_module("requests").get(url, timeout=60).status_code)


def ask_by_truststore(url: str) -> int:
    """Asks by requests, with the system's store by truststore, which pip has a copy of."""
    import_module("pip._vendor.truststore").inject_into_ssl()
    return ask_by_requests(url)


def ask_by_httpx(url: str) -> int:
    """Asks by httpx."""
    return int(import_module("httpx").get(url, timeout=60).status_code)


def ask_by_urllib3(url: str) -> int:
    """Asks by urllib3, without requests."""
    return int(import_module("urllib3").request("GET", url, timeout=60, retries=False).status)


def ask_by_urllib(url: str) -> int:
    """Asks by the standard library."""
    with urlopen(url, timeout=60) as answer:  # noqa: S310 - the test passes http and https only
        return int(answer.status)


def ask_by_aiohttp(url: str) -> int:
    """Asks by aiohttp."""

    async def ask() -> int:
        async with import_module("aiohttp").ClientSession() as session, session.get(url) as answer:
            return int(answer.status)

    return asyncio.run(ask())


LIBRARIES: dict[str, Callable[[str], int]] = {
    "requests": ask_by_requests,
    "truststore": ask_by_truststore,
    "httpx": ask_by_httpx,
    "urllib3": ask_by_urllib3,
    "urllib": ask_by_urllib,
    "aiohttp": ask_by_aiohttp,
}


def describe(url: str) -> str:
    """The status of the URL's answer, or what went wrong, in one line."""
    try:
        return str(LIBRARIES[sys.argv[1]](url))
    except Exception as error:  # noqa: BLE001 - each library has its own, and the test reads the text
        return str(error).replace("\n", " ")


if __name__ == "__main__":
    for each in sys.argv[2:]:
        sys.stdout.write(f"{describe(each)}\n")
