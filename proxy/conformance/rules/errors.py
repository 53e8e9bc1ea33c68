"""Section 5: errors."""

from collections.abc import Iterator

from proxy.comparison.redaction import Redactor
from proxy.conformance.contract import CODES, JSON
from proxy.conformance.exchange import Exchange, Purpose
from proxy.conformance.parsed import ParsedEnvelope
from proxy.conformance.recording import Recording
from proxy.conformance.rule import Observation, Skip, rule
from proxy.conformance.rules.checks import (
    BAD_REQUEST,
    NO_QUERY_KEY,
    OK,
    add,
    envelopes,
    exchanges,
    expects,
    show_code,
    whole,
)

P = Purpose
MIN_KEY = 8
METHOD_NOT_ALLOWED, SERVER_ERROR, UNAVAILABLE = 405, 500, 503
_INTERNALS = (
    b"AccountKey=",
    b"SharedAccessSignature=",
    b"DefaultEndpointsProtocol=",
    b"Traceback (most recent call last)",
    b"   at System.",
    b"\tat ",
)


@rule("5.answered", "Every request is answered.", whole)
def _answered(recording: Recording) -> Iterator[Observation]:
    for each in recording.exchanges:
        if not each.request.is_link:
            yield Observation(each, each.failure or each.status_line, each.failure)


@rule("5.envelope", "Every answer is an envelope: no HTML, no empty body.", whole)
def _envelope(recording: Recording) -> Iterator[Observation]:
    for each in recording.exchanges:
        if each.is_envelope:
            wrong = "" if recording.envelope_of(each) else "the body should be an envelope"
            yield Observation(each, f"{each.show('content-type')}, {len(each.body)} bytes", wrong)


@rule("5.codes", "authenticationResultCode is one of its six values.", envelopes("authenticationResultCode"))
def _codes(envelope: ParsedEnvelope) -> str | bool:
    if envelope.exchange.status == OK and envelope.code != "ValidCredentials":
        return "on success it should be ValidCredentials"
    return envelope.code in CODES


add("5.no-key", "Without a key: 401, NoCredentials.", expects(P.NO_KEY, status=401, code="NoCredentials"))
add(
    "5.unknown-key",
    "An unknown key: 401, InvalidCredentials.",
    expects(P.WRONG_KEY, P.WRONG_KEY_NO_JOB, status=401, code="InvalidCredentials"),
)
add(
    "5.query-key",
    "A query key where a master key is needed: 401, NotAuthorized.",
    expects(P.QUERY_KEY_JOB, P.QUERY_KEY_NO_JOB, P.QUERY_KEY_OUTPUT, status=401, code="NotAuthorized"),
    NO_QUERY_KEY,
)
add(
    "5.malformed",
    "A malformed parameter or path: 400, ValidCredentials.",
    expects(P.BAD_OUTPUT, P.NAME_TOO_LONG, P.NAME_BAD, status=400, code="ValidCredentials"),
)


@rule(
    "5.malformed-told",
    "errorDetails names the parameter and what is allowed.",
    envelopes("errorDetails", among=(P.BAD_OUTPUT,)),
)
def _malformed_parameter_named(envelope: ParsedEnvelope) -> str:
    text = " ".join(map(str, envelope.details or ())).lower()
    return "" if all(word in text for word in ("output", "json", "xml")) else "it should name output, json and xml"


add(
    "5.no-such-job",
    "No such job: 404, ValidCredentials.",
    expects(P.NO_JOB, status=404, code="ValidCredentials", documented=400),
)
add(
    "5.no-such-output",
    "No such output: 404, ValidCredentials.",
    expects(P.OUTPUT_MISSING, status=404, code="ValidCredentials", documented=400),
)
add("5.no-such-path", "No such path: 404, None.", expects(P.NO_PATH, status=404, code="None"))


@rule("5.wrong-method", "Wrong method: 405, None, with Allow.", whole)
def _wrong_method(recording: Recording) -> Iterator[Observation | Skip]:
    for each in recording.of(P.POST_ONLY):
        shows = f"{show_code(recording, each)}, Allow: {each.header('allow')}"
        if each.status == METHOD_NOT_ALLOWED:
            is_right = each.header("allow") and ", None, " in shows
            yield Observation(each, shows, "" if is_right else "it should be None, with Allow")
        else:
            yield Skip(f"GET of a path that takes POST is {each.status_line} here; no other method is tried")


@rule("5.server-fault", "500 has the code None or ValidCredentials.", whole)
def _server_fault(recording: Recording) -> Iterator[Observation]:
    for each in recording.answers:
        if each.status == SERVER_ERROR:
            envelope = recording.envelope_of(each)
            is_right = envelope is not None and envelope.code in {"None", "ValidCredentials"}
            wrong = "" if is_right else "the code should be None or ValidCredentials"
            yield Observation(each, show_code(recording, each), wrong)


@rule("5.unavailable", "503 has Retry-After.", exchanges("retry-after"))
def _unavailable(exchange: Exchange) -> bool | None:
    return bool(exchange.header("retry-after")) if exchange.status == UNAVAILABLE else None


@rule("5.error-details", "Every error has a text in errorDetails.", envelopes("errorDetails"))
def _error_details(envelope: ParsedEnvelope) -> str | None:
    if not envelope.is_error:
        return None
    has_texts = envelope.details and all(isinstance(each, str) and each.strip() for each in envelope.details)
    return "" if has_texts and envelope.lists_details else "it should be a list of at least one text"


@rule("5.format", "An error is in the requested format.", envelopes("format"))
def _format(envelope: ParsedEnvelope) -> bool | None:
    is_known = envelope.is_error and envelope.exchange.request.purpose is not P.BAD_OUTPUT
    return envelope.format is envelope.exchange.request.format if is_known else None


rule(
    "5.unknown-format",
    "Where the format can't be known, an error is JSON.",
    envelopes("format", among=(P.BAD_OUTPUT, P.NO_KEY_BAD_OUTPUT)),
)(lambda envelope: envelope.format is JSON)


@rule("5.no-secrets", "No error shows a key, a connection string or a stack trace.", whole)
def _no_secrets(recording: Recording) -> Iterator[Observation | Skip]:
    keys = [key for key in recording.secrets if len(key) >= MIN_KEY]
    redactor = Redactor(keys)
    if not keys:
        yield Skip(f"a key of less than {MIN_KEY} characters may stand anywhere")
        return
    for each in recording.answers:
        if each.status >= BAD_REQUEST:
            is_leak = redactor.finds_secret(each.body) or any(text in each.body for text in _INTERNALS)
            wrong = "it shows a key, a connection string or a stack trace" if is_leak else ""
            yield Observation(each, each.status_line, wrong)


add("5.key-first", "The key is judged before parameters.", expects(P.NO_KEY_BAD_OUTPUT, status=401))


@rule("5.learns-nothing", "A wrong or too weak key does not learn whether a job exists.", whole)
def _learns_nothing(recording: Recording) -> Iterator[Observation]:
    for known, unknown in ((P.WRONG_KEY_KNOWN_JOB, P.WRONG_KEY_NO_JOB), (P.QUERY_KEY_JOB, P.QUERY_KEY_NO_JOB)):
        missing = next(recording.of(unknown), None)
        for each in recording.of(known) if missing else ():
            found, other = show_code(recording, each), show_code(recording, missing or each)
            yield Observation(each, found, "" if found == other else f"for a missing job the answer is {other}")
