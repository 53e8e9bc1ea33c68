"""The object id in a token, for messages; nothing else of a token is ever shown."""

import base64
import json

import pytest

from adapters.credentials.token_claims import read_object_id


def token(payload: bytes) -> str:
    return f"head.{base64.urlsafe_b64encode(payload).decode().rstrip('=')}.signature"


def test_the_object_id_is_read() -> None:
    for padding in ("", "x", "xx", "xxx"):
        assert read_object_id(token(json.dumps({"oid": "1111", "x": padding}).encode())) == "1111"


@pytest.mark.parametrize(
    "text",
    ["", "opaque", "a.b", "a.!!.c", token(b"{"), token(b"[]"), token(b"\xff"), token(b'{"oid": 1}'), token(b"{}")],
)
def test_a_token_that_is_none_has_none(text: str) -> None:
    assert read_object_id(text) is None
