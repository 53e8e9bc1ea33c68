"""Section 2: what every answer has around its resources."""

import re
from collections.abc import Iterator
from http import HTTPStatus

from proxy.conformance import contract
from proxy.conformance.exchange import AskedFormat
from proxy.conformance.parsed import ParsedEnvelope
from proxy.conformance.recording import Recording
from proxy.conformance.rule import Check, Observation, Rule, Skip
from proxy.conformance.rules.checks import STATUS, bodies, envelopes, in_order

_SUCCESS = 200
_TRACE_ID = re.compile("[0-9a-f]{32}")


def _json_order(each: ParsedEnvelope) -> tuple[str, str]:
    return ", ".join(each.order), in_order(each.order, contract.MEMBERS)


def _xml_order(each: ParsedEnvelope) -> tuple[str, str]:
    return ", ".join(each.order), in_order(each.order, contract.ELEMENTS)


def _all_there(each: ParsedEnvelope) -> tuple[str, str]:
    wanted = contract.MEMBERS if each.format is AskedFormat.JSON else contract.ELEMENTS
    missing = [name for name in wanted if name not in each.order and name not in contract.OPTIONAL]
    return ", ".join(each.order), f"{missing[0]} is missing" if missing else ""


def _set_order(each: ParsedEnvelope) -> tuple[str, str]:
    wanted = ("estimatedTotal", "resources") if each.format is AskedFormat.JSON else ("EstimatedTotal", "Resources")
    orders = [found.order for found in each.sets]
    shown = "; ".join(", ".join(order) for order in orders)
    return shown, "" if orders == [wanted] else "there should be one resource set, with " + ", ".join(wanted)


def _status_code(each: ParsedEnvelope) -> tuple[str, str]:
    found = each.values.get("statusCode")
    return (
        f"{each.exchange.status_line}, statusCode {found}",
        "" if found == each.exchange.status else "they should be the same",
    )


def _status_agrees(record: Recording) -> Iterator[Observation | Skip]:
    for each in record.readable:
        # The download page prints the body of the create answer.
        if (
            each.exchange.status == _SUCCESS
            and each.values.get("statusCode") == HTTPStatus.CREATED
            and _is_download(each)
        ):
            wrong = "201 with HTTP 200, as the download page prints it; the contract has 200"
            yield Observation(each.exchange, "statusCode 201", wrong, documented=True)
        else:
            yield Observation(each.exchange, *_status_code(each))


def _is_download(each: ParsedEnvelope) -> bool:
    return "/datasourcedownload/" in f"/{each.exchange.ask.path.lower()}"


def _description(record: Recording) -> Iterator[Observation | Skip]:
    for each in record.readable:
        code, told = each.values.get("statusCode"), each.values.get("statusDescription")
        if code == HTTPStatus.CREATED and told == "Created" and each.exchange.status == _SUCCESS and _is_download(each):
            wrong = "Created with HTTP 200, as the download page prints it; the contract has OK"
            yield Observation(each.exchange, f"statusDescription {told}", wrong, documented=True)
            continue
        try:
            phrase = HTTPStatus(each.exchange.status).phrase
        except ValueError:
            continue
        yield Observation(
            each.exchange, f"statusDescription {told}", "" if told == phrase else f"it should be {phrase}"
        )


def _content_type(form: AskedFormat, wanted: str) -> Check:
    def wrong(each: ParsedEnvelope) -> tuple[str, str]:
        found = each.exchange.header("content-type") or "none"
        sound = found.replace(" ", "").lower() == wanted
        return f"Content-Type: {found}", "" if sound else f"it should be {wanted.replace(';', '; ')}"

    return envelopes(wrong, form=form)


def _not_compressed(record: Recording) -> Iterator[Observation]:
    for each in record.exchanges:
        if not each.failure and not each.ask.is_link:
            found = each.header("content-encoding")
            wrong = "no request asked for it" if found not in {None, "identity"} else ""
            yield Observation(each, f"Content-Encoding: {found or 'none'}", wrong)


def _is_aborted_status(each: ParsedEnvelope) -> bool:
    return each.exchange.ask.subject is not None and any(job.status == "Aborted" for job in each.jobs)


def _no_details(record: Recording) -> Iterator[Observation]:
    for each in record.readable:
        if each.exchange.status == _SUCCESS and not _is_aborted_status(each):
            shown = f"errorDetails {'absent' if each.details is None else list(each.details)}"
            yield Observation(each.exchange, shown, "" if each.details is None else "it should be absent")


def _aborted_details(record: Recording) -> Iterator[Observation | Skip]:
    for each in record.envelopes(*STATUS):
        if _is_aborted_status(each):
            message = each.jobs[0].text("errorMessage")
            if each.details is None:
                wrong = "it is absent, as the documents have it; the contract has the job's message there"
                yield Observation(each.exchange, "errorDetails absent", wrong, documented=True)
            else:
                sound = each.lists_details and list(each.details) == [message]
                wrong = "" if sound else "it should be a list of the job's errorMessage"
                yield Observation(each.exchange, f"errorDetails {list(each.details)}", wrong)


def _empty_list(record: Recording) -> Iterator[Observation]:
    for each in record.envelopes():
        if each.exchange.status == _SUCCESS and not each.jobs and each.exchange.ask.subject is None:
            told = [(found.total, len(found.jobs), found.order) for found in each.sets]
            sound = [(total, count, len(order)) for total, count, order in told] == [(0, 0, 2)]
            yield Observation(
                each.exchange, f"{told}", "" if sound else "it should be one resource set, total 0, no resources"
            )


def _error_sets(record: Recording) -> Iterator[Observation]:
    for each in record.readable:
        if each.exchange.status >= HTTPStatus.BAD_REQUEST:
            found = each.values.get("resourceSets")
            sound = not each.sets and (found == [] or (isinstance(found, str) and not found.strip()))
            yield Observation(
                each.exchange, f"{len(each.sets)} resource sets", "" if sound else "resourceSets should be empty"
            )


def _trace_form(each: ParsedEnvelope) -> tuple[str, str]:
    found = each.values.get("traceId")
    sound = isinstance(found, str) and _TRACE_ID.fullmatch(found)
    return f"traceId {found}", "" if sound else "it should be 32 lowercase hex digits"


def _trace_new(record: Recording) -> Iterator[Observation]:
    seen = set()
    for each in record.readable:
        found = str(each.values.get("traceId"))
        yield Observation(each.exchange, f"traceId {found}", "an answer before had the same" if found in seen else "")
        seen.add(found)


def _texts(each: ParsedEnvelope) -> tuple[str, str]:
    found = [each.values.get(name) for name in ("copyright", "brandLogoUri")]
    texts = [text for text in found if isinstance(text, str) and text]
    if len(texts) < len(found):
        return f"brandLogoUri {found[1]}", "copyright and brandLogoUri should be texts"
    return f"copyright {texts[0]}", "it is encoded twice" if _is_encoded_twice(texts[0]) else ""


def _is_encoded_twice(text: str) -> bool:
    """Whether these are the bytes of UTF-8, each taken for a character: Â© for ©."""
    try:
        return text.encode("cp1252").decode("utf-8") != text
    except UnicodeError:
        return False


def _notice_year(record: Recording) -> Iterator[Observation | Skip]:
    pattern = re.escape(contract.NOTICE).replace(re.escape("{year}"), "([0-9]{4})")
    for each in record.readable:
        found = re.fullmatch(pattern, str(each.values.get("copyright")))
        if found is None:
            yield Skip("the notice is the endpoint's own, which is a setting")
            return
        # A year ends at one moment, and the endpoint's clock may have passed it.
        wrong = (
            ""
            if abs(int(found[1]) - record.asked_at.year) <= (record.asked_at.timetuple().tm_yday in {1, 365, 366})
            else "it should be the current year"
        )
        yield Observation(each.exchange, f"Copyright © {found[1]}", wrong)


RULES = (
    Rule(
        "2.json-order", "JSON members stand in their alphabetical order.", envelopes(_json_order, form=AskedFormat.JSON)
    ),
    Rule("2.xml-order", "XML elements stand in their order.", envelopes(_xml_order, form=AskedFormat.XML)),
    Rule("2.all-there", "No member or element of the envelope is missing.", envelopes(_all_there)),
    Rule(
        "2.one-resource-set",
        "A success has one resource set: its total, then its resources.",
        lambda record: [
            Observation(each.exchange, *_set_order(each))
            for each in record.readable
            if each.exchange.status == _SUCCESS
        ],
    ),
    Rule("2.json-bom", "JSON has no BOM.", bodies(rb"\A\xef\xbb\xbf", "it begins with a BOM", AskedFormat.JSON)),
    Rule(
        "2.json-slashes",
        "Every / in JSON is written \\/.",
        bodies(rb"(?<!\\)/", "a / stands without its backslash", AskedFormat.JSON),
    ),
    Rule(
        "2.json-null",
        "JSON members with no value are absent, not null.",
        bodies(rb'"[A-Za-z_]+"\s*:\s*null\b', "a member is null", AskedFormat.JSON),
    ),
    Rule("2.compression", "Nothing is compressed unless the request asks for it.", _not_compressed),
    Rule("2.no-error-details", "errorDetails is absent on success.", _no_details),
    Rule(
        "2.aborted-error-details",
        "The status of an Aborted job has the job's message in errorDetails too.",
        _aborted_details,
        "no Aborted job in the list",
    ),
    Rule("2.empty-list", "An empty list is one resource set with total 0.", _empty_list, "the list is not empty"),
    Rule("2.error-resource-sets", "An error has no resource set.", _error_sets),
    Rule("2.trace-id", "traceId is 32 lowercase hex digits.", envelopes(_trace_form)),
    Rule("2.trace-id-new", "traceId is new for every answer.", _trace_new),
    Rule("2.texts", "copyright and brandLogoUri are texts.", envelopes(_texts)),
    Rule("2.notice-year", "The default notice has the current year.", _notice_year),
    Rule("2.status-code", "statusCode is the HTTP status.", _status_agrees),
    Rule("2.status-description", "statusDescription is the status's reason phrase.", _description),
    Rule(
        "2.json-content-type",
        "JSON is application/json; charset=utf-8.",
        _content_type(AskedFormat.JSON, contract.JSON_CONTENT),
    ),
    Rule(
        "2.xml-content-type",
        "XML is application/xml; charset=utf-8.",
        _content_type(AskedFormat.XML, contract.XML_CONTENT),
    ),
)
