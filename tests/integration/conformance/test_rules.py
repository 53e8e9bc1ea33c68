"""Each rule judges: a changed answer breaks it, what Bing documents otherwise is skipped on demand, sound ones pass."""

import re
from collections import Counter
from dataclasses import replace
from itertools import count

import pytest

from proxy.conformance.exchange import Purpose
from proxy.conformance.recording import Recording
from proxy.conformance.rule import Outcome, Rule, RuleResult, evaluate
from proxy.conformance.rules import RULES, SECTIONS
from tests.integration.conformance.job_mutations import LINKS, OUTPUTS, RESOURCES
from tests.integration.conformance.mutate import Mutation, all_of, answer, body, each, json_body, of, xml_body
from tests.integration.conformance.mutations import ENVELOPE, ERRORS, LIST, REQUESTS
from tests.integration.conformance.query_mutations import QUERIES, QUERY_MISTAKES

P = Purpose
BY_ID = {rule.id: rule for rule in RULES}
MUTATIONS = REQUESTS | ENVELOPE | RESOURCES | LINKS | OUTPUTS | ERRORS | LIST | QUERIES
TRACE_ID = re.compile(b'(?<="traceId":")[0-9a-f]{32}')
JSON_HEADERS = (("Content-Type", "application/json; charset=utf-8"),)

# No sound server shows these answers.
NEVER_PASSED = {"5.server-fault", "5.unavailable"}


def result(rule_id: str, recording: Recording, *, as_documented: bool = False) -> RuleResult:
    return evaluate(BY_ID[rule_id], recording, as_documented=as_documented)


def test_rules_all_have_one_mutation_each() -> None:
    assert [name for name, times in Counter(rule.id for rule in RULES).items() if times > 1] == []
    assert MUTATIONS.keys() == BY_ID.keys()
    assert {rule.section for rule in RULES} == set(SECTIONS)


@pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])
def test_rule_with_changed_answer_fails(
    rule: Rule, full: Recording, empty: Recording, redirected: Recording, queried: Recording
) -> None:
    usual = queried if rule.id in QUERIES else full
    recording = {"2.empty-list": empty, "4.kept-link": redirected}.get(rule.id, usual)
    before = evaluate(rule, recording)
    assert before.outcome is (Outcome.SKIPPED if rule.id in NEVER_PASSED else Outcome.PASSED), before.reason
    after = evaluate(rule, MUTATIONS[rule.id](recording))
    assert after.outcome is Outcome.FAILED, after
    assert after.evidence
    assert all(observation.wrong for observation in after.evidence)


CREATED = all_of(
    json_body(
        '"statusCode":200,"statusDescription":"OK"', '"statusCode":201,"statusDescription":"Created"', P.DOWNLOAD
    ),
    xml_body("<StatusCode>200</StatusCode>", "<StatusCode>201</StatusCode>", P.DOWNLOAD),
)
LINK_LAST = xml_body(
    r"(<Link [^>]*>[^<]*</Link>\s*)((?:<Description>[^<]*</Description>\s*)?<Status>[^<]*</Status>\s*)",
    r"\2\1",
    P.DOWNLOAD,
)
HTTP_400 = "HTTP 400, which the documents name"
DOCUMENTED: dict[str, tuple[str, Mutation]] = {
    "2.status-code": ("as the download page prints it", CREATED),
    "2.status-description": ("as the download page prints it", CREATED),
    "2.xml-namespaces": (
        "as the download page prints them",
        xml_body('xmlns:xs(.)="http:', r'xmlns:xs\1="https:', P.DOWNLOAD, P.DOWNLOAD_ID),
    ),
    "2.xml-declaration": (
        "no declaration, as the pages of loads and of the list print it",
        xml_body(r"\A<\?xml[^>]*>\s*", "", P.STATUS),
    ),
    "2.aborted-error-details": (
        "absent, as the documents have it",
        json_body('"errorDetails":\\[[^]]*\\],', "", P.STATUS, P.DOWNLOAD),
    ),
    "3.service-status": (
        "DataServiceJob, as the documents have it",
        all_of(
            json_body(',?"(?:failed|processed|total)EntityCount":[0-9]+', "", P.STATUS),
            json_body("DataflowJob", "DataServiceJob", P.STATUS),
        ),
    ),
    "3.links-before-status": ("as the download page prints it", LINK_LAST),
    "5.no-such-job": (HTTP_400, answer(of(P.NO_JOB), status=400)),
    "1.odd-id": (HTTP_400, answer(of(P.NO_JOB, P.ODD_ID), status=400)),
    "1.wrong-kind": (HTTP_400, answer(of(P.NO_JOB, P.STATUS_WRONG_KIND), status=400)),
    "1.name-characters": (HTTP_400, answer(of(P.NO_JOB, P.NAME_RAW), status=400)),
    "1.name-hyphen": (HTTP_400, answer(of(P.NAME_HYPHEN), status=400)),
    "5.no-such-output": (HTTP_400, answer(of(P.OUTPUT_MISSING), status=400)),
    "1.output-kind": ("HTTP 200, which the documents name", answer(of(P.OUTPUT), status=200, body=b"Id,Name")),
    "6.total": ("an estimate, as the documents have it", json_body('"estimatedTotal":', r"\g<0>1", P.LIST)),
}


@pytest.mark.parametrize("rule_id", DOCUMENTED)
def test_documented_form_fails_unless_as_documented(rule_id: str, full: Recording) -> None:
    reason, mutation = DOCUMENTED[rule_id]
    found = result(rule_id, mutation(full))
    assert found.outcome is Outcome.FAILED
    assert all(reason in observation.wrong for observation in found.evidence)
    found = result(rule_id, mutation(full), as_documented=True)
    assert (found.outcome, reason in found.reason) == (Outcome.SKIPPED, True), found


NEW_JOB = json_body('"id":"[^"]*"', '"id":"new"', P.LIST_AGAIN, count=1)
UNKNOWABLE: dict[str, tuple[str, Mutation]] = {
    "3.zone": ("which is a setting", xml_body("(Date>[^<]*)-0[78]:00", r"\1+01:00")),
    "4.appended-key": ("storage has no such blob", answer(of(P.LINK_APPENDED), status=404)),
    "4.location-works": ("storage can't be reached: nobody", answer(of(P.LOCATION), failure="nobody listens there")),
    "5.wrong-method": ("no other method is tried", answer(of(P.POST_ONLY), status=401)),
    "5.no-secrets": ("a key of less than 8 characters", lambda recording: replace(recording, secrets=("abc",))),
    "6.formats-agree": ("the list changed", NEW_JOB),
    "6.query-key-jobs": ("the list changed", NEW_JOB),
}


@pytest.mark.parametrize("rule_id", UNKNOWABLE)
def test_rule_that_cannot_be_checked_is_skipped_with_reason(rule_id: str, full: Recording) -> None:
    reason, mutation = UNKNOWABLE[rule_id]
    found = result(rule_id, mutation(full))
    assert (found.outcome, reason in found.reason) == (Outcome.SKIPPED, True), found


# Mistakes that are easily made and easily overlooked, beside the one for each rule.
MISTAKES: dict[str, tuple[str, Mutation]] = {
    "a name of 50 characters that is too long": ("1.name-length", answer(of(P.NAME_LONGEST), status=400)),
    "a format that follows Accept": ("1.output-default", body(of(P.LIST_ACCEPT), ".*", "<Response />", count=1)),
    "an output in one letter case only": ("1.path-case", answer(of(P.OUTPUT_CASE), status=404)),
    "links without scheme and host": (
        "3.base",
        all_of(json_body(r"https?:\\/\\/[^\\]*(?=\\/REST)", ""), xml_body("https?://[^/]*(?=/REST)", "")),
    ),
    "links with two slashes after the host": (
        "3.base",
        all_of(json_body(r"\\/REST", r"\\/\\/REST"), xml_body("(>http[^<]*)/REST", r"\1//REST")),
    ),
    "a completed date in XML only": ("3.dates-agree", json_body('"completedDate":"[^"]*",', "", P.STATUS)),
    "another error message in the list": (
        "6.status-agrees",
        json_body('"errorMessage":"[^"]*"', '"errorMessage":"Failed."', P.LIST),
    ),
    "names in the JSON list only": ("6.formats-agree", xml_body(r"<Name>[^<]*</Name>\s*", "", P.LIST)),
    "a job without an id": ("6.once", json_body('"id":"[^"]*",', "", P.LIST, count=1)),
    "outputs in the status only": ("6.links-agree", xml_body(r'<Link role="output[^>]*>[^<]*</Link>\s*', "", P.LIST)),
    "an error message of a Completed job": (
        "3.aborted-message",
        json_body(r'("failedEntityCount":\d*,"processedEntityCount":\d*,"status":"Comp)', r'"errorMessage":"",\1'),
    ),
    "a notice that is encoded twice": ("2.texts", xml_body("©", "Â©")),
    "an empty envelope": ("5.no-such-path", body(of(P.NO_PATH), ".*", "{}", count=1)),
    "the job type as a load's description": (
        "3.list-alone",
        json_body('"description":"[^"]*"', '"description":"DataSourceComplete"', P.STATUS, kind="DataSourceComplete"),
    ),
    "one text in place of a list": (
        "5.error-details",
        json_body('"errorDetails":\\[("[^"]*")\\]', r'"errorDetails":\1', P.NO_JOB),
    ),
    "one text in place of an Aborted job's list": (
        "2.aborted-error-details",
        json_body('"errorDetails":\\[("[^"]*")\\]', r'"errorDetails":\1', P.STATUS),
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_rule_with_easy_mistake_fails(name: str, full: Recording) -> None:
    rule_id, mutation = MISTAKES[name]
    assert result(rule_id, mutation(full)).outcome is Outcome.FAILED


@pytest.mark.parametrize("name", QUERY_MISTAKES)
def test_query_with_easy_mistake_fails(name: str, queried: Recording) -> None:
    rule_id, mutation = QUERY_MISTAKES[name]
    assert result(rule_id, queried).outcome is Outcome.PASSED
    assert result(rule_id, mutation(queried)).outcome is Outcome.FAILED


@pytest.mark.parametrize(("rule_id", "purpose"), [("q1.staging", P.FIND_STAGED), ("q2.7.missing", P.FIND_NO_ENTITY)])
def test_documented_status_of_query_fails_unless_as_documented(
    rule_id: str, purpose: Purpose, queried: Recording
) -> None:
    documented = answer(of(purpose), status=400)(queried)
    assert result(rule_id, documented).outcome is Outcome.FAILED
    found = result(rule_id, documented, as_documented=True)
    assert (found.outcome, HTTP_400 in found.reason) == (Outcome.SKIPPED, True), found


def test_http_links_of_https_endpoint_are_skipped(full: Recording) -> None:
    plain = all_of(json_body(r"https(:\\/\\/[^\"]*REST)", r"http\1"), xml_body("https(://[^<]*REST)", r"http\1"))(full)
    assert result("3.base", plain).outcome is Outcome.PASSED
    found = result("3.base", replace(plain, scheme="https"))
    assert (found.outcome, "send their key in plaintext" in found.reason) == (Outcome.SKIPPED, True)


def _with_another_job(recording: Recording) -> Recording:
    """One job comes and another goes before the requests with the query key."""
    turn = [exchange.request.purpose for exchange in recording.exchanges].index(P.LIST_QUERY_KEY)
    later = json_body('"id":"[^"]*"(?=,"name")', '"id":"new"', P.LIST_QUERY_KEY, P.LIST_AGAIN, count=1)(recording)
    return replace(recording, exchanges=recording.exchanges[:turn] + later.exchanges[turn:])


def _expired(recording: Recording) -> Recording:
    """Every output is gone from the endpoint and from storage; each answer has its own trace id."""
    numbers = count()
    outputs = of(P.OUTPUT, P.OUTPUT_CASE, P.OUTPUT_LISTED, P.OUTPUT_DOWNLOAD)
    missing = next(recording.of(P.OUTPUT_MISSING)).body
    return all_of(
        answer(outputs, status=404, headers=JSON_HEADERS, body=missing),
        answer(of(P.HEAD_OUTPUT), status=404, headers=JSON_HEADERS),
        answer(of(P.LINK_APPENDED, P.LINK_DROPPED, P.LINK_HEAD, P.LOCATION), status=404),
        each(of(), lambda found: replace(found, body=TRACE_ID.sub(b"%032x" % next(numbers), found.body))),
    )(recording)


SOUND: dict[str, Mutation] = {
    "a Pending job makes progress": xml_body("(<Status>Pending<.*?<ProcessedEntityCount>)[0-9]+", r"\g<1>8", P.STATUS),
    "a job comes during the run": _with_another_job,
    "outputs have expired": _expired,
}


@pytest.mark.parametrize("name", SOUND)
def test_sound_answers_fail_no_rule(name: str, full: Recording) -> None:
    changed = SOUND[name](full)
    assert changed.exchanges != full.exchanges
    results = [evaluate(rule, changed) for rule in RULES]
    assert [(found.rule.id, found.evidence) for found in results if found.outcome is Outcome.FAILED] == []


@pytest.mark.parametrize("rule_id", ["1.output-kind", "1.output-listed", "1.output-download"])
def test_missing_output_with_working_link_fails(rule_id: str, full: Recording) -> None:
    expired = _expired(full)
    assert "may have expired" in result(rule_id, expired).reason
    assert result(rule_id, answer(of(P.LINK_APPENDED), status=200)(expired)).outcome is Outcome.FAILED
