"""Section 2: what every answer has around its resources."""

import re
from collections.abc import Iterator
from http import HTTPStatus

from proxy.conformance import contract
from proxy.conformance.contract import JSON, XML
from proxy.conformance.parsed import ParsedEnvelope
from proxy.conformance.recording import Recording
from proxy.conformance.rule import Documented, Observation, Skip, rule
from proxy.conformance.rules.checks import OK, STATUS, Verdict, add, envelopes, exchanges, matches, order_fault, whole

_NOTICE = re.compile(re.escape(contract.NOTICE).replace(re.escape("{year}"), "([0-9]{4})"))


def _order(envelope: ParsedEnvelope) -> str:
    return order_fault(envelope.order, contract.ENVELOPE_ORDER[envelope.format])


rule("2.json-order", "JSON members stand in their alphabetical order.", envelopes("order", form=JSON))(_order)
rule("2.xml-order", "XML elements stand in their order.", envelopes("order", form=XML))(_order)


@rule("2.all-there", "No member or element of the envelope is missing.", envelopes("order"))
def _all_there(envelope: ParsedEnvelope) -> str:
    there = (*envelope.order, *contract.OPTIONAL)
    missing = [name for name in contract.ENVELOPE_ORDER[envelope.format] if name not in there]
    return f"{missing[0]} is missing" if missing else ""


@rule("2.one-resource-set", "A success has one resource set: its total, then its resources.", envelopes("sets"))
def _one_resource_set(envelope: ParsedEnvelope) -> bool | None:
    is_right = [each.order for each in envelope.sets] == [contract.SET_ORDER[envelope.format]]
    return is_right if envelope.exchange.status == OK else None


add("2.json-bom", "JSON has no BOM.", matches(rb"\A\xef\xbb\xbf", "it begins with a BOM", JSON))
add("2.json-slashes", r"Every / in JSON is written \/.", matches(rb"(?<!\\)/", "a / has no backslash", JSON))
add(
    "2.json-null",
    "JSON members with no value are absent, not null.",
    matches(rb'"[A-Za-z_]+"\s*:\s*null\b', "a member is null", JSON),
)
rule("2.compression", "Nothing is compressed unless the request accepts it.", exchanges("content-encoding"))(
    lambda exchange: exchange.header("content-encoding") in {None, "identity"}
)


def _is_aborted_status(envelope: ParsedEnvelope) -> bool:
    return envelope.exchange.request.job is not None and any(job.status == "Aborted" for job in envelope.jobs)


@rule("2.no-error-details", "errorDetails is absent on success.", envelopes("errorDetails"))
def _no_error_details(envelope: ParsedEnvelope) -> bool | None:
    return None if envelope.exchange.status != OK or _is_aborted_status(envelope) else envelope.details is None


@rule(
    "2.aborted-error-details",
    "The status of an Aborted job has the job's message in errorDetails too.",
    envelopes("errorDetails", among=STATUS),
)
def _aborted_error_details(envelope: ParsedEnvelope) -> Verdict:
    if not _is_aborted_status(envelope):
        return None
    if envelope.details is None:
        return Documented("it is absent, as the documents have it; the contract has the job's message there")
    is_right = envelope.lists_details and list(envelope.details) == [envelope.jobs[0].values.get("errorMessage")]
    return "" if is_right else "it should be a list of the job's errorMessage"


@rule("2.empty-list", "An empty list is one resource set with total 0.", envelopes("sets"), "the list is not empty")
def _empty_list(envelope: ParsedEnvelope) -> bool | None:
    if envelope.exchange.status != OK or envelope.jobs or envelope.exchange.request.job is not None:
        return None
    return [(each.total, len(each.order)) for each in envelope.sets] == [(0, 2)]


@rule("2.error-resource-sets", "An error has no resource set.", envelopes("sets"))
def _error_resource_sets(envelope: ParsedEnvelope) -> bool | None:
    if not envelope.is_error:
        return None
    found = envelope.values.get("resourceSets")
    return not envelope.sets and (found == [] or (isinstance(found, str) and not found.strip()))


rule("2.trace-id", "traceId is 32 lowercase hex digits.", envelopes("traceId"))(
    lambda envelope: bool(re.fullmatch("[0-9a-f]{32}", str(envelope.values.get("traceId"))))
)


@rule("2.trace-id-new", "traceId is new for every answer.", whole)
def _trace_id_new(recording: Recording) -> Iterator[Observation]:
    earlier = set[str]()
    for envelope in recording.envelopes():
        found = envelope.show("traceId")
        yield Observation(envelope.exchange, found, "an earlier answer had the same" if found in earlier else "")
        earlier.add(found)


@rule("2.texts", "copyright and brandLogoUri are texts.", envelopes("copyright", "brandLogoUri"))
def _texts(envelope: ParsedEnvelope) -> str | bool:
    notice, logo = (envelope.values.get(name) for name in ("copyright", "brandLogoUri"))
    if not (notice and logo and isinstance(notice, str) and isinstance(logo, str)):
        return False
    try:  # Â© for ©: each byte of UTF-8 became a character
        return "" if notice.encode("cp1252").decode("utf-8") == notice else "it is encoded twice"
    except UnicodeError:
        return True


@rule("2.notice-year", "The default notice has the current year.", whole)
def _notice_year(recording: Recording) -> Iterator[Observation | Skip]:
    today = recording.started_at
    # At the turn of the year the clocks of both sides may differ.
    slack = int(today.timetuple().tm_yday in {1, 365, 366})
    for envelope in recording.envelopes():
        found = _NOTICE.fullmatch(str(envelope.values.get("copyright")))
        if found is None:
            yield Skip("the notice is the endpoint's own, which is a setting")
            return
        wrong = "" if abs(int(found[1]) - today.year) <= slack else "it should be the current year"
        yield Observation(envelope.exchange, f"Copyright © {found[1]}", wrong)


def _is_printed(envelope: ParsedEnvelope) -> bool:
    """Whether a download's status has the code of a create answer, as the download page prints it."""
    is_created = envelope.values.get("statusCode") == HTTPStatus.CREATED and envelope.exchange.status == OK
    return is_created and "/datasourcedownload/" in f"/{envelope.exchange.request.path.lower()}"


@rule("2.status-code", "statusCode is the HTTP status.", envelopes("statusCode"))
def _status_code(envelope: ParsedEnvelope) -> str | bool:
    if _is_printed(envelope):
        return Documented("201 with HTTP 200, as the download page prints it; the contract has 200")
    return envelope.values.get("statusCode") == envelope.exchange.status


@rule("2.status-description", "statusDescription is the status's reason phrase.", envelopes("statusDescription"))
def _status_description(envelope: ParsedEnvelope) -> Verdict:
    found = envelope.values.get("statusDescription")
    if _is_printed(envelope) and found == "Created":
        return Documented("Created with HTTP 200, as the download page prints it; the contract has OK")
    try:
        phrase = HTTPStatus(envelope.exchange.status).phrase
    except ValueError:
        return None
    return "" if found == phrase else f"it should be {phrase}"


def _content_type(envelope: ParsedEnvelope) -> bool:
    found = envelope.exchange.header("content-type") or ""
    return found.replace(" ", "").lower() == f"application/{envelope.format};charset=utf-8"


rule("2.json-content-type", "JSON is application/json; charset=utf-8.", envelopes("content-type", form=JSON))(
    _content_type
)
rule("2.xml-content-type", "XML is application/xml; charset=utf-8.", envelopes("content-type", form=XML))(_content_type)
