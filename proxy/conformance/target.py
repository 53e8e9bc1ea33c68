"""Where the endpoint is: its base URL, and addresses that stand in for those of the DNS."""

import re
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

PORTS = {"http": 80, "https": 443}


class AddressError(Exception):
    """An argument that is no address; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A scheme, a host in lower case and a port."""

    scheme: str
    host: str
    port: int

    @property
    def host_header(self) -> str:
        """The Host of a request, with the port where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class BaseUrl:
    """What stands before /REST/v1/."""

    origin: Origin
    prefix: str

    @property
    def url(self) -> str:
        """The URL without a slash at its end."""
        return f"{self.origin.scheme}://{self.origin.host_header}{self.prefix}"


def origin_of(url: str) -> tuple[Origin, SplitResult]:
    """The origin of a URL, and its parts.

    Raises:
        ValueError: it is no http or https URL that can be asked.
    """
    if re.search(r"[^\x21-\x7e]", url):
        raise ValueError("characters that a URL does not have")
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname or parts.username is not None:
        raise ValueError("no http or https URL, or one with a user")
    return Origin(parts.scheme, parts.hostname, parts.port or PORTS[parts.scheme]), parts


def parse_base_url(text: str) -> BaseUrl:
    """Reads `https://host[:port][/path]`; a slash or /REST/v1 at its end may be there or not."""
    try:
        origin, parts = origin_of(text)
    except ValueError as error:
        raise AddressError("--base-url: must be like https://spatial.virtualearth.net") from error
    if parts.query or parts.fragment:
        raise AddressError("--base-url: must have no query")
    return BaseUrl(origin, re.sub(r"(?i)/rest/v1$", "", parts.path.rstrip("/")).rstrip("/"))


def parse_resolve(text: str, port: int) -> tuple[tuple[str, int], str]:
    """Reads `HOST[:PORT]:ADDRESS`; an IPv6 address after a port needs its brackets. The port is the base URL's."""
    host, _, rest = text.partition(":")
    number, _, address = rest.partition(":")
    try:
        found = str(ip_address(rest.strip("[]")))
    except ValueError:
        try:
            port, found = int(number), str(ip_address(address.strip("[]")))
        except ValueError:
            host = ""
    if not re.fullmatch(r"[A-Za-z0-9._-]+", host) or not 0 < port < 65536:  # noqa: PLR2004 - what a port may be
        raise AddressError("--resolve: must be HOST:PORT:ADDRESS or HOST:ADDRESS, with an IP address")
    return (host.lower(), port), found


def parse_resolves(texts: Iterable[str], base: Origin) -> dict[tuple[str, int], str]:
    """Reads them all.

    Raises:
        AddressError: one can't be read, or names the base URL's host with another port: the key would go to whom the
            DNS names.
    """
    found = dict(parse_resolve(each, base.port) for each in texts)
    ports = {port for host, port in found if host == base.host}
    if ports and base.port not in ports:
        raise AddressError(f"--resolve: gives no address for port {base.port} of {base.host}, which --base-url names")
    return found


def trust(ca_file: str | None) -> ssl.SSLContext:
    """A TLS context that verifies certificates and host names; the file adds to the authorities of the system."""
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError) as error:
            raise AddressError(f"--ca-file: no certificate can be read from {ca_file}") from error
    return context
