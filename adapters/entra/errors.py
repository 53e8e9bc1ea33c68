"""Why a sign-in by Microsoft Entra ID fails."""

import re
from enum import Enum

_ENTRA_CODE = re.compile(r"AADSTS\d{1,9}")


def find_entra_code(text: str) -> str | None:
    """The error code in a text of Microsoft Entra, which says what is wrong and holds nothing else."""
    found = _ENTRA_CODE.search(text)
    return found[0] if found else None


class SignInFailure(Enum):
    """Where the cure lies."""

    REFUSED = "refused"
    """With the person, or the list of principals: another try, another account, another name in the list."""
    UNAVAILABLE = "unavailable"
    """With the operator, or time: the network, Entra, the app registration, the identity of this process."""


class SignInError(Exception):
    """A sign-in failed.

    Args:
        failure: where the cure lies.
        text: a sentence for the person, without any part of a token.
        reason: the same for a log line: names of types, and codes of Entra.
    """

    def __init__(self, failure: SignInFailure, text: str, reason: str) -> None:
        super().__init__(text)
        self.failure, self.reason = failure, reason


def not_valid(reason: str) -> SignInError:
    """The error for a token that is not the one of this sign-in."""
    return SignInError(SignInFailure.REFUSED, "The token of this sign-in is not valid. Sign in again.", reason)
