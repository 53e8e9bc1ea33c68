"""What the log and the usage say of a client: its user agent and its network, never its full address."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import NamedTuple

import orjson
from starlette.types import Scope

from adapters.model.usage import MAX_AGENT_LENGTH
from proxy.observability.logs import mask
from proxy.text import single_line

# Bits of an address that name its network (operations contract, section 1).
IPV4_BITS, IPV6_BITS = 24, 48

# Clients in memory, each with two short texts. The members of a line cost half of what the rest of the line does.
MAX_CLIENTS = 4_096

# A masked text may be longer than what it hides, so more than is shown is looked at, and not much more.
_EXAMINED = 4 * MAX_AGENT_LENGTH


class Client(NamedTuple):
    """A client. `json` has both as members of a log line, each with a comma before it."""

    agent: str | None = None
    network: str | None = None
    json: str = ""

    @property
    def fields(self) -> dict[str, str]:
        """The members of a log line."""
        members = {"agent": self.agent, "network": self.network}
        return {name: value for name, value in members.items() if value}


UNKNOWN = Client()


def client_of(scope: Scope) -> Client:
    """The client of a request."""
    address = scope.get("client")
    return _describe(agent_of(scope)[:_EXAMINED], address[0] if address else "")


def agent_of(scope: Scope) -> bytes:
    """The user agent as it was sent."""
    for name, value in scope["headers"]:
        if name == b"user-agent":
            return bytes(value)
    return b""


@lru_cache(MAX_CLIENTS)
def _describe(agent: bytes, address: str) -> Client:
    text = single_line(mask(agent.decode("utf-8", "replace")))[:MAX_AGENT_LENGTH].strip()
    client = Client(text or None, network_of(address))
    members = orjson.dumps(client.fields).decode()[1:-1]
    return client._replace(json=f",{members}" if members else "")


def network_of(address: str) -> str | None:
    """The /24 of an IPv4 address, the /48 of an IPv6 one; None where it is neither, as for a socket's file."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is None:
            return str(ip_network((parsed, IPV6_BITS), strict=False))
        parsed = parsed.ipv4_mapped
    return str(ip_network((parsed, IPV4_BITS), strict=False))
