"""Section 5: errors."""

from collections.abc import Iterator
from http import HTTPStatus

from proxy.conformance.exchange import AskedFormat, Purpose
from proxy.conformance.recording import Recording
from proxy.conformance.redaction import holds
from proxy.conformance.rule import Observation, Rule, Skip
from proxy.conformance.rules.checks import code_is, expects

NO_QUERY_KEY = "no query key was given"
SHORTEST_KEY = 8
_NONE, _VALID = "None", "ValidCredentials"
_CONNECTION_STRINGS = (b"AccountKey=", b"SharedAccessSignature=", b"DefaultEndpointsProtocol=")
_TRACES = (b"Traceback (most recent call last)", b"   at System.", b"\tat ")


def _answered(record: Recording) -> Iterator[Observation]:
    for each in record.exchanges:
        if not each.ask.is_link:
            yield Observation(each, each.failure or each.status_line, each.failure)


def _is_envelope(record: Recording) -> Iterator[Observation]:
    for each in record.exchanges:
        if each.is_envelope:
            wrong = "" if record.envelope_of(each) else "the body should be an envelope"
            yield Observation(each, f"{each.status_line}, {len(each.body)} bytes, {each.header('content-type')}", wrong)


def _errors(record: Recording, *purposes: Purpose) -> Iterator[Observation]:
    for each in record.envelopes(*purposes):
        if each.exchange.status >= HTTPStatus.BAD_REQUEST:
            texts = [text for text in each.details or () if isinstance(text, str) and text.strip()]
            sound = bool(texts) and len(texts) == len(each.details or ())
            wrong = "" if sound else "there should be a text at least"
            if sound and not each.lists_details:
                wrong = "it should be a list of texts"
            yield Observation(each.exchange, f"errorDetails {texts}", wrong)


def _format(record: Recording) -> Iterator[Observation]:
    for each in record.readable:
        if each.exchange.status >= HTTPStatus.BAD_REQUEST and each.exchange.ask.purpose is not Purpose.BAD_OUTPUT:
            wrong = (
                "" if each.format is each.exchange.ask.format else f"it should be {each.exchange.ask.format.upper()}"
            )
            yield Observation(each.exchange, f"{each.exchange.status_line}, {each.format.upper()}", wrong)


def _unknown_format(record: Recording) -> Iterator[Observation]:
    for each in record.envelopes(Purpose.BAD_OUTPUT, Purpose.NO_KEY_BAD_OUTPUT):
        yield Observation(
            each.exchange, each.format.upper(), "" if each.format is AskedFormat.JSON else "it should be JSON"
        )


def _bad_output(record: Recording) -> Iterator[Observation]:
    for each in record.envelopes(Purpose.BAD_OUTPUT):
        text = " ".join(str(detail) for detail in each.details or ()).lower()
        sound = "output" in text and "json" in text and "xml" in text
        yield Observation(each.exchange, f"errorDetails {text}", "" if sound else "it should name output, json and xml")


def _no_secrets(record: Recording) -> Iterator[Observation | Skip]:
    keys = [key for key in record.secrets if len(key) >= SHORTEST_KEY]
    if not keys:
        yield Skip(f"a key of less than {SHORTEST_KEY} characters may stand anywhere")
        return
    for each in record.exchanges:
        if each.status >= HTTPStatus.BAD_REQUEST and not each.ask.is_link:
            told = holds(each.body, keys) or any(text in each.body for text in (*_CONNECTION_STRINGS, *_TRACES))
            yield Observation(
                each, each.status_line, "it tells a key, a connection string or a stack trace" if told else ""
            )


def _wrong_method(record: Recording) -> Iterator[Observation | Skip]:
    for each in record.of(Purpose.POST_ONLY):
        if each.status != HTTPStatus.METHOD_NOT_ALLOWED:
            yield Skip(f"GET of a path that takes POST is {each.status_line} here; no other method is tried")
            continue
        envelope = record.envelope_of(each)
        allow = each.header("allow")
        sound = bool(allow) and envelope is not None and envelope.code == _NONE
        yield Observation(
            each, f"{code_is(each, envelope)}, Allow: {allow}", "" if sound else "it should be None, with Allow"
        )


def _server_fault(record: Recording) -> Iterator[Observation]:
    for each in record.exchanges:
        if each.status == HTTPStatus.INTERNAL_SERVER_ERROR and not each.ask.is_link:
            envelope = record.envelope_of(each)
            sound = envelope is not None and envelope.code in (_NONE, _VALID)
            yield Observation(
                each, code_is(each, envelope), "" if sound else "the code should be None or ValidCredentials"
            )


def _unavailable(record: Recording) -> Iterator[Observation]:
    for each in record.exchanges:
        if each.status == HTTPStatus.SERVICE_UNAVAILABLE and not each.ask.is_link:
            wait = each.header("retry-after")
            yield Observation(
                each, f"{each.status_line}, Retry-After: {wait}", "" if wait else "it should have Retry-After"
            )


def _same_for_all(record: Recording) -> Iterator[Observation]:
    """A wrong key is told the same of a job that is there and of one that is not."""
    for one, other in (
        (Purpose.WRONG_KEY_KNOWN_JOB, Purpose.WRONG_KEY_NO_JOB),
        (Purpose.QUERY_KEY_JOB, Purpose.QUERY_KEY_NO_JOB),
    ):
        missing = next(record.of(other), None)
        for each in record.of(one):
            if missing is not None:
                known, unknown = (code_is(found, record.envelope_of(found)) for found in (each, missing))
                yield Observation(
                    each, known, "" if known == unknown else f"of a job that is not there it says {unknown}"
                )


def _codes(record: Recording) -> Iterator[Observation]:
    allowed = ("ValidCredentials", "InvalidCredentials", "CredentialsExpired", "NotAuthorized", "NoCredentials", "None")
    for each in record.readable:
        wrong = "" if each.code in allowed else "it is no authenticationResultCode"
        if each.exchange.status == HTTPStatus.OK and each.code != _VALID:
            wrong = "on success it should be ValidCredentials"
        yield Observation(each.exchange, code_is(each.exchange, each), wrong)


def _not_found_documented(record: Recording) -> Iterator[Observation | Skip]:
    return iter(expects(Purpose.NO_JOB, status=404, code=_VALID, documented=400)(record))


RULES = (
    Rule("5.answered", "Every request is answered.", _answered),
    Rule("5.envelope", "Every answer is an envelope: no HTML, no empty body.", _is_envelope),
    Rule("5.codes", "authenticationResultCode is one of its six values.", _codes),
    Rule("5.no-key", "Without a key: 401, NoCredentials.", expects(Purpose.NO_KEY, status=401, code="NoCredentials")),
    Rule(
        "5.unknown-key",
        "A key that nobody has: 401, InvalidCredentials.",
        expects(Purpose.WRONG_KEY, Purpose.WRONG_KEY_NO_JOB, status=401, code="InvalidCredentials"),
    ),
    Rule(
        "5.query-key",
        "A query key where a master key is needed: 401, NotAuthorized.",
        expects(
            Purpose.QUERY_KEY_JOB, Purpose.QUERY_KEY_NO_JOB, Purpose.QUERY_KEY_OUTPUT, status=401, code="NotAuthorized"
        ),
        NO_QUERY_KEY,
    ),
    Rule(
        "5.malformed",
        "A malformed parameter or path: 400, ValidCredentials.",
        expects(Purpose.BAD_OUTPUT, Purpose.NAME_TOO_LONG, Purpose.NAME_BAD, status=400, code=_VALID),
    ),
    Rule("5.malformed-told", "errorDetails names the parameter and what is allowed.", _bad_output),
    Rule("5.no-such-job", "No such job: 404, ValidCredentials.", _not_found_documented),
    Rule(
        "5.no-such-output",
        "No such output: 404, ValidCredentials.",
        expects(Purpose.OUTPUT_MISSING, status=404, code=_VALID, documented=400),
        "no Aborted job in the list",
    ),
    Rule("5.no-such-path", "No such path: 404, None.", expects(Purpose.NO_PATH, status=404, code=_NONE)),
    Rule("5.wrong-method", "Wrong method: 405, None, with Allow.", _wrong_method),
    Rule("5.server-fault", "500 has the code None or ValidCredentials.", _server_fault, "no answer was a 500"),
    Rule("5.unavailable", "503 has Retry-After.", _unavailable, "no answer was a 503"),
    Rule("5.error-details", "Every error has a text in errorDetails.", _errors),
    Rule("5.format", "An error is in the format that was asked for.", _format),
    Rule("5.unknown-format", "Where the format can't be known, an error is JSON.", _unknown_format),
    Rule("5.no-secrets", "No error tells a key, a connection string or a stack trace.", _no_secrets),
    Rule(
        "5.key-first",
        "The key is judged before parameters.",
        expects(Purpose.NO_KEY_BAD_OUTPUT, status=401),
    ),
    Rule(
        "5.learns-nothing",
        "A wrong or too weak key learns not whether a job is there.",
        _same_for_all,
        "no load job in the list, and no query key",
    ),
)
