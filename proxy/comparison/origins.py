"""Where an endpoint is: origin, base URL, addresses in place of the DNS, trusted certificates."""

import re
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

PORTS = {"http": 80, "https": 443}
MAX_PORT = 65535


class AddressError(Exception):
    """An argument is no address; the text says which argument and what it must be."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A scheme, a host in lower case and a port."""

    scheme: str
    host: str
    port: int

    @property
    def host_header(self) -> str:
        """The Host of a request, with the port unless it is the scheme's default."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The origin as a URL without a path."""
        return f"{self.scheme}://{self.host_header}"

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine by its name or address."""
        return is_loopback(self.host)


@dataclass(frozen=True, slots=True)
class BaseUrl:
    """What stands before /REST/v1/."""

    origin: Origin
    prefix: str

    @property
    def url(self) -> str:
        """The URL without a slash at its end."""
        return f"{self.origin.url}{self.prefix}"


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its name or address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def origin_of(url: str) -> tuple[Origin, SplitResult]:
    """The origin of a URL, and its parts.

    Raises:
        ValueError: the URL is not http or https, names a user, or has a character that no URL has.
    """
    if re.search(r"[^\x21-\x7e]", url):
        raise ValueError("characters that no URL has")
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname or parts.username is not None:
        raise ValueError("not http or https, or a URL with a user")
    return Origin(parts.scheme, parts.hostname, parts.port or PORTS[parts.scheme]), parts


def parse_base_url(text: str, option: str = "--base-url") -> BaseUrl:
    """Reads `https://host[:port][/path]`, with or without a slash or /REST/v1 at its end.

    Raises:
        AddressError: it is none; the text names the option.
    """
    try:
        origin, parts = origin_of(text)
    except ValueError as error:
        raise AddressError(f"{option}: must be like https://spatial.virtualearth.net") from error
    if parts.query or parts.fragment:
        raise AddressError(f"{option}: must have no query")
    return BaseUrl(origin, re.sub(r"(?i)/rest/v1$", "", parts.path.rstrip("/")).rstrip("/"))


def parse_connect_to(text: str, default_port: int) -> tuple[str, int]:
    """Reads `ADDRESS[:PORT]`, an IP address; an IPv6 address before a port needs brackets.

    Raises:
        AddressError: it is none.
    """
    found = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[0-9.]+)(?::([0-9]{1,5}))?|([0-9A-Fa-f:.]+)", text)
    port = int(found[2] or default_port) if found else 0
    try:
        address = str(ip_address((found[1] or found[3]).strip("[]"))) if found else ""
    except ValueError:
        address = ""
    if not address or not 0 < port <= MAX_PORT:
        raise AddressError(f"--connect-to: must be an IP address, with or without :PORT, not {text[:60]!r}")
    return address, port


def parse_resolve(text: str, default_port: int) -> tuple[tuple[str, int], str]:
    """Reads `HOST[:PORT]:ADDRESS`; an IPv6 address after a port needs brackets."""
    found = re.fullmatch(r"([A-Za-z0-9._-]+)(?::([0-9]{1,5}))?:(\[[0-9A-Fa-f:.]+\]|[0-9.]+)", text)
    port = int(found[2] or default_port) if found else 0
    try:
        address = str(ip_address(found[3].strip("[]"))) if found else ""
    except ValueError:
        address = ""
    if found is None or not address or not 0 < port <= MAX_PORT:
        raise AddressError("--resolve: must be HOST:PORT:ADDRESS or HOST:ADDRESS, with an IP address")
    return (found[1].lower(), port), address


def parse_resolves(texts: Iterable[str], base: Origin) -> dict[tuple[str, int], str]:
    """Reads every `--resolve`.

    Raises:
        AddressError: one can't be read, or names the host of the base URL with other ports only. The key would then go
            to the address in the DNS.
    """
    found = dict(parse_resolve(each, base.port) for each in texts)
    ports = {port for host, port in found if host == base.host}
    if ports and base.port not in ports:
        raise AddressError(f"--resolve: gives no address for port {base.port} of {base.host}, which --base-url names")
    return found


def tls_context(ca_file: str | None) -> ssl.SSLContext:
    """A context that verifies certificates and host names; the file adds to the authorities of the system."""
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError) as error:
            raise AddressError(f"--ca-file: no certificate can be read from {ca_file}") from error
    return context
