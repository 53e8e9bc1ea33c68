"""Where the documents have it otherwise than the contract, and what nobody can know from outside."""

import pytest

from proxy.conformance.exchange import Purpose
from proxy.conformance.recording import Recording
from proxy.conformance.rule import Outcome, verdict
from proxy.conformance.rules.catalog import RULES
from tests.integration.conformance.breaking import Mutation, all_of, answer, json_body, of, xml_body

P = Purpose
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

FORMS: dict[str, tuple[str, Mutation]] = {
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
            *(json_body(f',?"{name}":[0-9]+', "", P.STATUS) for name in ("failedEntityCount", "processedEntityCount")),
            json_body(',"totalEntityCount":[0-9]*', "", P.STATUS),
            json_body("DataflowJob", "DataServiceJob", P.STATUS),
        ),
    ),
    "3.links-before-status": ("as the download page prints it", LINK_LAST),
    "5.no-such-job": ("HTTP 400, which the documents name", answer(of(P.NO_JOB), status=400)),
    "1.odd-id": ("HTTP 400, which the documents name", answer(of(P.NO_JOB, P.ODD_ID), status=400)),
    "1.wrong-kind": ("HTTP 400, which the documents name", answer(of(P.NO_JOB, P.STATUS_WRONG_KIND), status=400)),
    "1.name-characters": ("HTTP 400, which the documents name", answer(of(P.NO_JOB, P.NAME_RAW), status=400)),
    "1.name-hyphen": ("HTTP 400, which the documents name", answer(of(P.NAME_HYPHEN), status=400)),
    "5.no-such-output": ("HTTP 400, which the documents name", answer(of(P.OUTPUT_MISSING), status=400)),
    "1.output-kind": ("HTTP 200, which the documents name", answer(of(P.OUTPUT), status=200, body=b"Id,Name")),
    "6.total": ("an estimate, as the documents have it", json_body('"estimatedTotal":', r"\g<0>1", P.LIST)),
}


@pytest.mark.parametrize("name", FORMS)
def test_what_the_documents_have_is_broken_unless_it_is_asked_not_to_judge_it(name: str, full: Recording) -> None:
    (rule,) = [rule for rule in RULES if rule.id == name]
    reason, mutation = FORMS[name]
    found = verdict(rule, mutation(full))
    assert found.outcome is Outcome.FAILED
    assert all(reason in seen.wrong for seen in found.exhibits)
    found = verdict(rule, mutation(full), as_documented=True)
    assert (found.outcome, reason in found.reason) == (Outcome.SKIPPED, True), found


UNKNOWABLE: dict[str, tuple[str, Mutation]] = {
    "3.zone": (
        "which is a setting",
        xml_body("(Date>[^<]*)-0[78]:00", r"\1+01:00"),
    ),
    "4.appended-key": ("storage has no such blob", answer(of(P.LINK_APPENDED), status=404)),
    "4.location-works": ("storage could not be asked: nobody", answer(of(P.LOCATION), failure="nobody listens there")),
    "5.wrong-method": ("no other method is tried", answer(of(P.POST_ONLY), status=401)),
    "6.formats-agree": ("the list changed", json_body('"id":"[^"]*"', '"id":"new"', P.LIST_AGAIN, count=1)),
    "6.query-key-jobs": ("the list changed", json_body('"id":"[^"]*"', '"id":"new"', P.LIST_AGAIN, count=1)),
}


@pytest.mark.parametrize("name", UNKNOWABLE)
def test_what_can_not_be_known_is_not_judged_and_the_report_says_why(name: str, full: Recording) -> None:
    (rule,) = [rule for rule in RULES if rule.id == name]
    reason, mutation = UNKNOWABLE[name]
    found = verdict(rule, mutation(full))
    assert (found.outcome, reason in found.reason) == (Outcome.SKIPPED, True), found
