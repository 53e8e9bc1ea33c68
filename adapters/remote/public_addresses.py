"""Which IP addresses are on the public internet."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

# Global by the registries' lists, but special.
_SPECIAL = tuple(
    ip_network(text)
    for text in (
        "168.63.129.16/32",  # Azure's platform services, as each virtual machine reaches them
        "192.0.0.0/24",      # protocol assignments
        "192.88.99.0/24",    # relays of 6to4
        "2001::/23",         # protocol assignments, Teredo among them: they hold an IPv4 address
        "2002::/16",         # 6to4: the same
        "3fff::/20",         # documentation
    )
)  # fmt: skip

# All assigned unicast IPv6; outside are NAT64 and other forms of IPv4, link-local and unique local addresses.
_UNICAST = ip_network("2000::/3")


def is_public(text: str) -> bool:
    """Whether this is the address of a machine on the public internet; False for text that is no address."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_global(address.ipv4_mapped)
        return address in _UNICAST and _is_global(address)
    return _is_global(address)


def _is_global(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not address.is_multicast and not any(address in net for net in _SPECIAL)
