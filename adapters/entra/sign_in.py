"""Signs people in: the flow, the token's verification and the console's own identity, within deadlines."""

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

from azure.core.credentials_async import AsyncTokenCredential

from adapters.credentials.config import Identity, IdentityKind
from adapters.credentials.factory import open_identity
from adapters.entra.code_flow import CodeFlow, StartedFlow, refusal
from adapters.entra.errors import SignInError, SignInFailure
from adapters.entra.id_token import IdTokenVerifier, Person, admit
from adapters.entra.registration import AppRegistration
from adapters.sdk_calls import error_from_exception

SCOPE = "api://AzureADTokenExchange/.default"
"""What the identity's token is for: federated credentials of app registrations (azure.md, section 2)."""

SIGN_IN_SECONDS = 20.0
"""The deadline of all that a sign-in asks of Entra at once: endpoints, assertion, code, keys."""

THREADS = 4

_Result = TypeVar("_Result")


class EntraSignIn:
    """Signs people in.

    Args:
        registration: the app registration.
        principals: object ids of people and groups that may come in, in lower case.
    """

    def __init__(self, registration: AppRegistration, principals: Collection[str]) -> None:
        self._registration, self._principals = registration, frozenset(principals)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="entra")
        self._opening = asyncio.Lock()
        self._flow: CodeFlow | None = None
        self._verifier: IdTokenVerifier | None = None
        self._credential: AsyncTokenCredential | None = None
        self._assertion = ""

    async def begin(self, redirect_uri: str) -> StartedFlow:
        """Begins a sign-in.

        Args:
            redirect_uri: where Entra sends the browser with the answer.

        Raises:
            SignInError: Entra can't be reached.
        """
        async with _deadline():
            return (await self._open_flow()).begin(redirect_uri)

    async def finish(self, started: StartedFlow, answer: Mapping[str, str]) -> Person:
        """Ends a sign-in: the person.

        Args:
            started: what `begin` returned to the same browser.
            answer: the query that the browser brings from Entra.

        Raises:
            SignInError: the person may not come in, or nobody can now.
        """
        if not hmac.compare_digest(started.state.encode(), answer.get("state", "").encode("utf-8", "replace")):
            text = "The answer is not that of the sign-in which this browser began. Sign in again."
            raise SignInError(SignInFailure.REFUSED, text, "another state")
        if answer.get("error"):
            raise refusal(answer["error"], answer.get("error_description", ""))
        if not answer.get("code"):
            raise SignInError(SignInFailure.REFUSED, "Microsoft Entra sent no code. Sign in again.", "no code")
        async with _deadline():
            flow = await self._open_flow()
            self._assertion = await self._get_assertion()
            token = await self._run(flow.redeem, started, answer["code"])
            self._verifier = self._verifier or IdTokenVerifier(self._registration)
            claims = await self._run(self._verifier.verify, token, started.nonce)
        return admit(claims, self._principals)

    async def close(self) -> None:
        """Closes the identity's connections. A call that hangs ends with its own deadline."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._credential is not None:
            await self._credential.close()

    async def _open_flow(self) -> CodeFlow:
        async with self._opening:
            if self._flow is None:
                self._flow = await self._run(CodeFlow, self._registration, lambda: self._assertion)
            return self._flow

    async def _get_assertion(self) -> str:
        """A token of the console's own identity, which Entra takes instead of a secret."""
        try:
            if self._credential is None:
                self._credential = open_identity(Identity(IdentityKind.DEFAULT))
            return (await self._credential.get_token(SCOPE)).token
        except Exception as error:  # noqa: BLE001 - the identity libraries' errors have no common base class
            detail = error_from_exception(error).detail
            text = "The console's own identity gets no token, so nobody can sign in. The console's log says more."
            raise SignInError(SignInFailure.UNAVAILABLE, text, f"no assertion: {detail}") from None

    async def _run(self, call: Callable[..., _Result], *arguments: object) -> _Result:
        """Runs a call in a thread. Its connections have deadlines of their own."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, call, *arguments)


@asynccontextmanager
async def _deadline() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(SIGN_IN_SECONDS):
            yield
    except TimeoutError:
        text = "Microsoft Entra did not answer in time. Try again."
        raise SignInError(SignInFailure.UNAVAILABLE, text, "no answer in time") from None
