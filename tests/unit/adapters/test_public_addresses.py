"""Only addresses on the public internet may be fetched from, in whatever form they are written."""

import pytest

from adapters.remote.public_addresses import is_public

PUBLIC = """
    1.1.1.1 20.60.0.1 52.239.0.1 193.0.0.1 223.255.255.254
    2606:4700:4700::1111 2a01:111::1 ::ffff:1.1.1.1
"""
SPECIAL = """
    0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 127.0.0.1 127.255.255.254 168.63.129.16 169.254.169.254
    172.16.0.1 172.31.255.255 192.0.0.8 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.51.100.1
    203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:a9fe:a9fe ::ffff:168.63.129.16
    ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 100::1 2001::1 2001:db8::1
    2002:7f00:1:: 2002:a9fe:a9fe::1 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0
    fec0::1 ff02::1 ff0e::1
"""
MALFORMED = ["", *["localhost", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "1.1.1.1.", "[::1]", "1.1.1"]]


@pytest.mark.parametrize("address", PUBLIC.split())
def test_public_address_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", SPECIAL.split() + MALFORMED)
def test_special_or_malformed_address_is_not_public(address: str) -> None:
    assert not is_public(address)
