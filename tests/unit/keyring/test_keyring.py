"""What a key may do, and how it is looked up."""

import hmac
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest

from proxy.keyring.keyring import ExpiredKeyError, KeyGrant, KeyRing, UnknownKeyError, hash_key
from proxy.keyring.patterns import compile_pattern

NOW = datetime(2026, 1, 3, tzinfo=UTC)
RING = KeyRing(
    {},
    {
        hash_key(b"master"): KeyGrant("contoso"),
        hash_key(b"ending"): KeyGrant("contoso", expires=NOW),
        hash_key(b"lasting"): KeyGrant("contoso", expires=NOW + timedelta(microseconds=1)),
        hash_key("schlüssel".encode()): KeyGrant("fabrikam"),
        hash_key(b"\xff\x00"): KeyGrant("adatum"),
    },
)


def _grant(key: bytes) -> KeyGrant:
    return RING.get_grant(hash_key(key), NOW)


def _restricted(*patterns: str) -> KeyGrant:
    return KeyGrant("contoso", data_sources=tuple(compile_pattern(pattern) for pattern in patterns))


@pytest.mark.parametrize(
    ("key", "account"),
    [(b"master", "contoso"), ("schlüssel".encode(), "fabrikam"), (b"\xff\x00", "adatum"), (b"lasting", "contoso")],
)
def test_a_key_opens_its_account(key: bytes, account: str) -> None:
    assert _grant(key).account == account


@pytest.mark.parametrize(
    "key", [b"", b"Master", b"master ", b"maste", hash_key(b"master"), hash_key(b"master").hex().encode()]
)
def test_a_key_not_in_the_ring_is_unknown(key: bytes) -> None:
    with pytest.raises(UnknownKeyError):
        _grant(key)


def test_a_key_at_its_end_has_expired() -> None:
    with pytest.raises(ExpiredKeyError):
        _grant(b"ending")


def test_lookup_values_differ_per_process_and_hold_no_key() -> None:
    rings = [KeyRing({}, {hash_key(b"MARKED"): KeyGrant("contoso")}) for _ in range(5)]
    values = {value for ring in rings for value in vars(ring)["_grants"]}
    assert len(values) == 5
    assert hash_key(b"MARKED") not in values
    assert "MARKED" not in repr([vars(ring) for ring in rings])


def test_a_lookup_compares_in_constant_time() -> None:
    with patch("proxy.keyring.keyring.hmac.compare_digest", wraps=hmac.compare_digest) as compare:
        assert _grant(b"master")
    compare.assert_called_once()


@pytest.mark.parametrize(
    ("patterns", "allowed", "refused"),
    [
        (["FourthCoffee*"], ["FourthCoffee", "fourthcoffeeshops", "FOURTHCOFFEE1"], ["Fourth", "XFourthCoffee", ""]),
        (["Fourth-Coffee-*"], ["FOURTH-coffee-East-1"], ["FourthCoffee"]),
        (["a", "b*"], ["A", "B2"], ["ab"]),
        (["*"], ["x"], ["", None]),
        ([], [], ["FourthCoffee", "", None]),
        *[([name], [name], [name + "x"]) for name in ("~`!$^_={}-", "a{b}", "$x^", "a-z")],
    ],
)
def test_patterns_allow_the_data_sources_they_match(
    patterns: list[str], allowed: list[str], refused: list[str | None]
) -> None:
    grant = _restricted(*patterns)
    assert grant.is_restricted
    assert all(map(grant.allows, allowed))
    assert not any(map(grant.allows, refused))


@pytest.mark.parametrize("name", ["FourthCoffee", "", None])
def test_a_key_without_patterns_allows_all(name: str | None) -> None:
    assert not KeyGrant("contoso").is_restricted
    assert KeyGrant("contoso").allows(name)
