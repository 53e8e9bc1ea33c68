"""Which internet addresses are everybody's, and which lead into somebody's own network."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

# Global by the registries' lists, and yet not everybody's.
_NOT_EVERYBODYS = tuple(
    ip_network(text)
    for text in (
        "168.63.129.16/32",  # Azure's own services, as each virtual machine sees them
        "192.0.0.0/24",      # protocol assignments
        "192.88.99.0/24",    # relays of 6to4
        "2001::/23",         # protocol assignments, Teredo among them: they hold an IPv4 address
        "2002::/16",         # 6to4: the same
        "3fff::/20",         # documentation
    )
)  # fmt: skip

# All of IPv6 that is given out; outside lie NAT64 and other forms of IPv4, link-local and unique local addresses.
_GIVEN_OUT = ip_network("2000::/3")


def is_public(text: str) -> bool:
    """Whether this is the address of a machine on the public internet; not for text that is no address."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_global(address.ipv4_mapped)
        return address in _GIVEN_OUT and _is_global(address)
    return _is_global(address)


def _is_global(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not address.is_multicast and not any(address in net for net in _NOT_EVERYBODYS)
