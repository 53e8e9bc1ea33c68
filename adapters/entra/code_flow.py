"""The authorization code flow with PKCE, by msal. Its calls block: they run in threads."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

from adapters.entra.errors import SignInError, SignInFailure, find_entra_code, not_valid
from adapters.entra.registration import AppRegistration

CALL_SECONDS = 5.0
"""For each connection, and for each wait for an answer of Microsoft Entra."""

# What Entra says of the code, or of the person. All other errors are of the console or of Entra.
_OF_THE_PERSON = frozenset(
    ("access_denied", "consent_required", "interaction_required", "invalid_grant", "login_required")
)


@dataclass(frozen=True, slots=True)
class StartedFlow:
    """A flow that a browser was sent on.

    Args:
        url: where the browser goes.
        state: what the answer must bring back.
        nonce: what the token must hold.
        data: msal's own.
    """

    url: str
    state: str
    nonce: str = field(repr=False)
    data: Mapping[str, Any] = field(repr=False)


class CodeFlow:
    """The flow of one app registration, which an assertion authenticates instead of a secret.

    Args:
        registration: the app registration.
        assertion: gives the assertion of the moment.

    Raises:
        SignInError: Entra does not say where its endpoints are.
    """

    def __init__(self, registration: AppRegistration, assertion: Callable[[], str]) -> None:
        # Imported only where people sign in so: requests comes along.
        import msal  # noqa: PLC0415 - see above

        # The answer comes in the query: the browser would send no cookie along with a form of another site.
        warnings.filterwarnings("ignore", message="response_mode='form_post'")
        with _described_errors():
            self._client = msal.ConfidentialClientApplication(
                registration.client_id,
                client_credential={"client_assertion": assertion},
                authority=registration.authority,
                instance_discovery=False,  # the authority is the operator's own setting
                exclude_scopes=["offline_access"],
                http_client=_open_session(),
                token_cache=_no_cache(),
            )

    def begin(self, redirect_uri: str) -> StartedFlow:
        """Begins a sign-in. Makes no request."""
        data = self._client.initiate_auth_code_flow([], redirect_uri=redirect_uri)
        (nonce,) = parse_qs(urlsplit(data["auth_uri"]).query)["nonce"]
        return StartedFlow(data["auth_uri"], data["state"], nonce, data)

    def redeem(self, flow: StartedFlow, code: str) -> str:
        """Exchanges a code for the id token, which names the person.

        Raises:
            SignInError: Entra refuses it, or does not answer.
        """
        response = {"state": flow.state, "code": code}
        with _described_errors():
            try:
                answer = self._client.acquire_token_by_auth_code_flow(dict(flow.data), response)
            except RuntimeError:  # msal compares the nonce before anyone has looked at the signature
                raise not_valid("another nonce") from None
        if "error" in answer:
            raise refusal(str(answer["error"]), str(answer.get("error_description", "")))
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise SignInError(SignInFailure.UNAVAILABLE, "Microsoft Entra sent no id token.", "no id token")
        return token


def refusal(error: str, description: str) -> SignInError:
    """The error for an error answer of Microsoft Entra, of which only codes are shown."""
    code = find_entra_code(description) or "".join(each for each in error if each.isalnum() or each == "_")[:40]
    if error in _OF_THE_PERSON:
        return SignInError(SignInFailure.REFUSED, f"Microsoft Entra refused the sign-in ({code}). Sign in again.", code)
    text = f"Microsoft Entra does not accept the console ({code}). See its app registration and federated credential."
    return SignInError(SignInFailure.UNAVAILABLE, text, code)


@contextmanager
def _described_errors() -> Iterator[None]:
    """Raises SignInError in the place of msal's and requests' errors: their texts hold URLs and parts of tokens."""
    try:
        yield
    except SignInError:
        raise
    except Exception as error:  # noqa: BLE001 - these errors have no common base class
        text = "Microsoft Entra does not answer as it should. Try again, or see the console's log."
        raise SignInError(SignInFailure.UNAVAILABLE, text, type(error).__name__) from None


def _open_session() -> Any:  # noqa: ANN401 - msal takes anything that asks like requests
    """A session with a deadline that follows no redirect: the assertion goes nowhere else."""
    import requests  # noqa: PLC0415 - msal brings it

    session = requests.Session()
    session.max_redirects = 0
    session.request = partial(session.request, timeout=CALL_SECONDS)  # type: ignore[method-assign]  # msal does it so
    return session


def _no_cache() -> Any:  # noqa: ANN401 - msal ships no types
    """A cache that keeps nothing: only the id token is of use, and only once."""
    import msal  # noqa: PLC0415 - imported already

    class NoCache(msal.TokenCache):  # type: ignore[misc]  # the same
        def add(self, event: object, now: object = None) -> None:
            """Keeps nothing."""

    return NoCache()
