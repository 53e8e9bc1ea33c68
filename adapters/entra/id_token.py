"""Verifies the id token of a sign-in, and that its person may come in."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.entra.code_flow import CALL_SECONDS
from adapters.entra.errors import SignInError, SignInFailure, not_valid
from adapters.entra.registration import AppRegistration

LEEWAY_SECONDS = 60
"""How far the clocks of Entra and of this machine may differ."""

_REQUIRED = ("aud", "exp", "iat", "iss", "nonce", "oid", "tid")
_ALGORITHMS = ("RS256",)
"""Named here and never taken from the token, so that it can't choose none, or a shared secret."""

LONGEST_NAME = 100
"""Characters of a person's name that are used."""

_UNPRINTABLE = re.compile(r"[^\w.@+\-' ]")


@dataclass(frozen=True, slots=True)
class Person:
    """A signed-in person: the object id in the tenant, and the name to show, which others may have too."""

    object_id: str
    name: str

    def __str__(self) -> str:
        """The name, and what it can't be mistaken by."""
        return f"{self.name} ({self.object_id})"


class IdTokenVerifier:
    """Verifies tokens of one app registration. It asks for the tenant's keys, so it runs in threads."""

    def __init__(self, registration: AppRegistration) -> None:
        import jwt  # noqa: PLC0415 - only where people sign in so

        self._registration = registration
        self._keys = jwt.PyJWKClient(registration.keys_url, timeout=CALL_SECONDS)

    def verify(self, token: str, nonce: str) -> Mapping[str, Any]:
        """The claims of a token, verified: signature, issuer, audience, times, nonce and tenant.

        Raises:
            SignInError: it is not the token of this sign-in, or the keys can't be had.
        """
        import jwt  # noqa: PLC0415 - imported already

        registration = self._registration
        try:
            key = self._keys.get_signing_key_from_jwt(token)
            claims = jwt.decode(
                token,
                key,
                algorithms=_ALGORITHMS,
                audience=registration.client_id,
                issuer=registration.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": list(_REQUIRED)},
            )
        except jwt.PyJWKClientConnectionError:
            text = "The keys of Microsoft Entra can't be had now. Try again."
            raise SignInError(SignInFailure.UNAVAILABLE, text, "no keys") from None
        except (jwt.PyJWTError, ValueError) as error:
            raise not_valid(type(error).__name__) from None
        if claims["nonce"] != nonce:
            raise not_valid("another nonce")
        if str(claims["tid"]).lower() != registration.tenant_id:
            raise not_valid("another tenant")
        return claims


def admit(claims: Mapping[str, Any], principals: Collection[str]) -> Person:
    """The person of verified claims, where the object id or a group is among the principals.

    Args:
        claims: verified claims.
        principals: object ids of people and groups, in lower case.

    Raises:
        SignInError: neither is, or the token has too many groups to name them.
    """
    object_id = str(claims["oid"]).lower()
    name = _UNPRINTABLE.sub("?", str(claims.get("preferred_username", "")))[:LONGEST_NAME] or "no name"
    groups = claims.get("groups")
    found = {str(group).lower() for group in groups} if isinstance(groups, list) else set()
    if not ({object_id} | found) & set(principals):
        raise SignInError(SignInFailure.REFUSED, _refuse(claims, object_id), f"not a principal: {object_id[:36]}")
    return Person(object_id[:36], name)


def _refuse(claims: Mapping[str, Any], object_id: str) -> str:
    names = claims.get("_claim_names")
    if isinstance(names, dict) and "groups" in names:
        return (
            "You are in more groups than a token can name. Ask the operator to add your own object id"
            f" {object_id[:36]} to PROXY_CONSOLE_PRINCIPALS, or to let the token name the app's own groups only."
        )
    return (
        f"Neither you nor one of your groups may use this console. Ask the operator to add your object id"
        f" {object_id[:36]} to PROXY_CONSOLE_PRINCIPALS."
    )
