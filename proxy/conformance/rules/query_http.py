"""Sections 1.4, 2.3, 2.7 and 3 of the query contract: JSONP, staged versions, errors, HEAD, CORS and keys."""

import json
import re
from collections.abc import Iterator

from proxy.conformance.exchange import Exchange, Purpose
from proxy.conformance.parsed_query import ParsedAnswer
from proxy.conformance.query_plan import CALLBACK, STATE
from proxy.conformance.recording import Recording
from proxy.conformance.rule import Observation, Skip, rule
from proxy.conformance.rules.checks import BAD_REQUEST, expects
from proxy.conformance.rules.query_checks import add, answers, content_type_is

P = Purpose
_CALL = re.compile(rf'{re.escape(CALLBACK)}\((\{{.*\}})(?:,("[^"]*"))?\)'.encode(), re.DOTALL)
_ALLOWED = "access-control-allow-origin"


@rule("q2.3.call", 'JSONP is name(JSON,"state"): no semicolon, nothing around it.', answers(P.FIND_JSONP))
def _call(answer: ParsedAnswer) -> bool:
    found = _CALL.fullmatch(answer.exchange.body)
    return found is not None and (found[2] or b"").replace(b"\\/", b"/") == json.dumps(STATE).encode()


rule("q2.3.content-type", "JSONP is text/javascript; charset=utf-8.", answers(P.FIND_JSONP))(
    content_type_is("text/javascript")
)


def _error_call(recording: Recording) -> Iterator[Observation]:
    for each in recording.of(P.FIND_BAD_JSONP):
        wrong = "" if _CALL.fullmatch(each.body) else "it should be the call, with the envelope in it"
        yield Observation(each, each.status_line, wrong if each.status == BAD_REQUEST else "the status should be 400")


def _callback(recording: Recording) -> Iterator[Observation]:
    for each in recording.of(P.FIND_BAD_CALLBACK):
        wrong = "the answer repeats it" if b"alert(1)" in each.body else ""
        yield Observation(each, each.status_line, wrong if each.status == BAD_REQUEST else "the status should be 400")


def _head(recording: Recording) -> Iterator[Observation]:
    names = ("content-type", "content-length")
    by_get = {each.request.path: each for each in recording.of(P.FIND_ONE) if each.request.query}
    for each in recording.of(P.FIND_HEAD):
        got = by_get.get(each.request.path)
        if got is not None:
            wrong = "" if each.show(*names) == got.show(*names) else f"GET: {got.show(*names)}"
            yield Observation(
                each, each.show(*names), f"{len(each.body)} bytes follow the head" if each.body else wrong
            )


def _cors(recording: Recording) -> Iterator[Observation | Skip]:
    asked = [each for each in recording.of(P.FIND_ALL, P.FIND_BAD_FILTER) if each.request.headers]
    if not any(each.header(_ALLOWED) for each in asked):
        yield Skip("no origin of browsers is allowed, or not the made-up one")
        return
    for each in asked:
        yield Observation(each, each.show(_ALLOWED), "" if _allows(each) else "it should allow the origin")


def _allows(exchange: Exchange) -> bool:
    return exchange.header(_ALLOWED) in {"*", *(value for _, value in exchange.request.headers)}


add(
    "q1.staging",
    "isStaging=1 with nothing staged is 404.",
    expects(P.FIND_STAGED, status=404, code="ValidCredentials", documented=BAD_REQUEST),
    "a version is staged",
)
add("q2.3.error", "A refused query in JSONP is 400, in the same call.", _error_call)
add("q2.3.callback", "What is no name of a function is 400, and not repeated.", _callback)
add(
    "q2.7.malformed",
    "A malformed filter or an unknown property: 400, ValidCredentials.",
    expects(P.FIND_BAD_FILTER, P.FIND_BAD_PROPERTY, status=400, code="ValidCredentials"),
)
add(
    "q2.7.missing",
    "No such entity type or entity: 404, ValidCredentials.",
    expects(P.FIND_NO_TYPE, P.FIND_NO_ENTITY, status=404, code="ValidCredentials", documented=BAD_REQUEST),
)
add("q2.7.head", "HEAD has the status, type and length of GET, and no body.", _head)
add("q2.7.cors", "Answers and errors allow the origins of browsers.", _cors)
add("q3.no-key", "Without a key: 401, NoCredentials.", expects(P.FIND_NO_KEY, status=401, code="NoCredentials"))
add(
    "q3.unknown-key",
    "An unknown key: 401, InvalidCredentials, before parameters are judged.",
    expects(P.FIND_WRONG_KEY, status=401, code="InvalidCredentials"),
)
