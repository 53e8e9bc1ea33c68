"""What a key may do."""

from datetime import UTC, datetime, timedelta

import pytest

from proxy.keyring.keyring import KeyGrant, KeyRing, Role, digest_of, pattern_of
from proxy.wire.errors import ApiError, ErrorCode

NOW = datetime(2026, 1, 3, tzinfo=UTC)
RING = KeyRing(
    {},
    {
        digest_of(b"master"): KeyGrant("contoso"),
        digest_of(b"ending"): KeyGrant("contoso", expires=NOW),
        digest_of(b"lasting"): KeyGrant("contoso", expires=NOW + timedelta(microseconds=1)),
        digest_of("schlüssel".encode()): KeyGrant("fabrikam"),
        digest_of(b"\xff\x00"): KeyGrant("adatum"),
    },
)


def _grant(key: bytes) -> KeyGrant:
    return RING.grant_of(digest_of(key), NOW)


def _error(key: bytes) -> ErrorCode:
    with pytest.raises(ApiError) as caught:
        _grant(key)
    return caught.value.code


def _restricted(*patterns: str) -> KeyGrant:
    return KeyGrant("contoso", data_sources=tuple(pattern_of(pattern) for pattern in patterns))


def test_a_key_opens_its_account() -> None:
    assert _grant(b"master").account == "contoso"
    assert _grant("schlüssel".encode()).account == "fabrikam"
    assert _grant(b"\xff\x00").account == "adatum"


@pytest.mark.parametrize(
    "key", [b"", b"Master", b"master ", b"maste", digest_of(b"master"), digest_of(b"master").hex().encode()]
)
def test_a_key_that_nobody_has_is_unknown(key: bytes) -> None:
    assert _error(key) is ErrorCode.UNKNOWN_KEY


def test_a_key_ends_at_its_end() -> None:
    assert _error(b"ending") is ErrorCode.EXPIRED_KEY
    assert _grant(b"lasting")


def test_only_a_master_key_is_one() -> None:
    KeyGrant("contoso").require_master()
    with pytest.raises(ApiError) as caught:
        KeyGrant("contoso", Role.QUERY).require_master()
    assert caught.value.code is ErrorCode.MASTER_KEY_NEEDED


@pytest.mark.parametrize("name", ["FourthCoffee", "", None])
def test_a_key_without_patterns_sees_all(name: str | None) -> None:
    assert not KeyGrant("contoso").is_restricted
    assert KeyGrant("contoso").allows(name)


@pytest.mark.parametrize("name", ["FourthCoffee", "fourthcoffeeshops", "FOURTHCOFFEE1"])
def test_a_pattern_matches_without_regard_to_letter_case(name: str) -> None:
    assert _restricted("FourthCoffee*").allows(name)


@pytest.mark.parametrize("name", ["Fourth", "XFourthCoffee", "", None])
def test_what_no_pattern_matches_is_not_allowed(name: str | None) -> None:
    assert _restricted("FourthCoffee*").is_restricted
    assert not _restricted("FourthCoffee*").allows(name)


def test_a_pattern_may_hold_hyphens() -> None:
    assert _restricted("Fourth-Coffee-*").allows("FOURTH-coffee-East-1")
    assert not _restricted("Fourth-*").allows("FourthCoffee")


def test_a_key_for_no_data_source_sees_none() -> None:
    assert _restricted().is_restricted
    assert not _restricted().allows("FourthCoffee")


def test_a_star_is_any_named_data_source() -> None:
    assert _restricted("*").allows("x")
    assert not _restricted("*").allows(None)


def test_one_pattern_of_several_is_enough() -> None:
    assert _restricted("a", "b*").allows("B2")
    assert not _restricted("a", "b*").allows("ab")


@pytest.mark.parametrize("name", ["~`!$^_={}-", "a{b}", "$x^", "a-z"])
def test_the_signs_that_a_name_may_have_stand_for_themselves(name: str) -> None:
    assert _restricted(name).allows(name)
    assert not _restricted(name).allows(name + "x")
