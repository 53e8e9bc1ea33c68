"""Checks that the endpoint accepts the given keys. A refused key would fail every rule, so the command ends at once."""

from http import HTTPStatus

from proxy.conformance.client import Client, Target, UnreachableError
from proxy.conformance.exchange import Exchange
from proxy.conformance.request_plan import WITH_KEY, WITH_QUERY_KEY

# The codes for an unknown key. A query key that lacks a right fails a rule, but is not refused.
REFUSED = ("InvalidCredentials", "CredentialsExpired", "NoCredentials")

SHOWN_CODE = 40


def judge_keys(asker: Client, endpoint: Target, first: Exchange) -> None:
    """Asks by each key, after the first answer, which is to the master key.

    Raises:
        UnreachableError: one is refused, or is a query key where a master key was to be given.
    """
    base = endpoint.base.url
    if first.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise UnreachableError(f"{base} refuses the key of --key: {_said(asker, first)}.")
    answer = asker.ask(WITH_KEY)
    if answer.status == HTTPStatus.UNAUTHORIZED and _code(asker, answer) == "NotAuthorized":
        raise UnreachableError(f"{base} takes the key of --key for a query key, and a master key is needed.")
    if endpoint.query_key is not None:
        answer = asker.ask(WITH_QUERY_KEY)
        if answer.status == HTTPStatus.UNAUTHORIZED and _code(asker, answer) in REFUSED:
            raise UnreachableError(f"{base} refuses the key of --query-key: {_said(asker, answer)}.")


def _said(asker: Client, answer: Exchange) -> str:
    code = _code(asker, answer)
    return answer.status_line + (f", {code}" if code else "")


def _code(asker: Client, answer: Exchange) -> str:
    envelope = asker.envelope_of(answer)
    return "" if envelope is None else str(envelope.code or "")[:SHOWN_CODE]
