"""Reads the claim of an access token by which an operator finds the identity that needs a role."""

import base64
import binascii
import json


def read_object_id(token: str) -> str | None:
    """The object id (`oid`) of the identity that a token is for; None where the token has none."""
    _, _, rest = token.partition(".")
    payload = rest.partition(".")[0]
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    found = claims.get("oid") if isinstance(claims, dict) else None
    return found if isinstance(found, str) else None
