"""A look-up in the key ring is made so that its time tells nothing."""

import hmac
from datetime import UTC, datetime
from unittest.mock import patch

import pytest

from proxy.keyring.keyring import KeyGrant, KeyRing, digest_of
from proxy.wire.errors import ApiError

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_digests_are_found_under_values_that_nobody_outside_can_aim_at() -> None:
    grants = {digest_of(b"key"): KeyGrant("contoso")}
    places = {place for _ in range(5) for place in vars(KeyRing({}, grants))["_grants"]}
    assert len(places) == 5  # another in each process
    assert digest_of(b"key") not in places


def test_what_is_found_is_compared_in_constant_time() -> None:
    ring = KeyRing({}, {digest_of(b"key"): KeyGrant("contoso")})
    with patch("proxy.keyring.keyring.hmac.compare_digest", wraps=hmac.compare_digest) as compared:
        assert ring.grant_of(digest_of(b"key"), NOW).account == "contoso"
    compared.assert_called_once()


def test_no_key_is_kept() -> None:
    ring = KeyRing({}, {digest_of(b"MARKED"): KeyGrant("contoso")})
    assert b"MARKED" not in repr(vars(ring)).encode()
    with pytest.raises(ApiError):
        ring.grant_of(digest_of(b"other"), NOW)
