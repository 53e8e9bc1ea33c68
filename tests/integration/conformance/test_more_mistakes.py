"""Mistakes that are easily made and that a rule could overlook, beside the one for each rule."""

from dataclasses import replace

import pytest

from proxy.conformance.exchange import Purpose
from proxy.conformance.recording import Recording
from proxy.conformance.rule import Outcome, verdict
from proxy.conformance.rules.catalog import RULES
from tests.integration.conformance.breaking import Mutation, all_of, answer, body, json_body, of, xml_body

P = Purpose


def without(in_json: str, in_xml: str) -> Mutation:
    """Every answer without what the patterns match."""
    return all_of(json_body(in_json, ""), xml_body(in_xml, ""))


MISTAKES: dict[str, tuple[str, Mutation]] = {
    "a name of 50 characters that is too long": ("1.name-length", answer(of(P.NAME_LONGEST), status=400)),
    "a format that follows Accept": ("1.output-default", body(of(P.LIST_ACCEPT), ".*", "<Response />", count=1)),
    "output/succeeded in the documented letter case alone": ("1.path-case", answer(of(P.OUTPUT_CASE), status=404)),
    "links without scheme and host": (
        "3.base",
        without(r"https?:\\/\\/[^\\]*(?=\\/REST)", "https?://[^/]*(?=/REST)"),
    ),
    "links without scheme": ("3.base", without(r"https?:(?=\\/\\/[^\"]*REST)", "https?:(?=//[^<]*REST)")),
    "links with two slashes after the host": (
        "3.base",
        all_of(json_body(r"\\/REST", r"\\/\\/REST"), xml_body("(>http[^<]*)/REST", r"\1//REST")),
    ),
    "a completed date in XML alone": ("3.dates-agree", json_body('"completedDate":"[^"]*",', "", P.STATUS)),
    "a completed date in the list alone": (
        "6.status-agrees",
        all_of(
            json_body('"completedDate":"[^"]*",', "", P.STATUS),
            xml_body("<CompletedDate>[^<]*</CompletedDate>", '<CompletedDate xsi:nil="true" />', P.STATUS),
        ),
    ),
    "another error message in the list": (
        "6.status-agrees",
        json_body('"errorMessage":"[^"]*"', '"errorMessage":"Failed."', P.LIST),
    ),
    "names in the JSON list alone": ("6.formats-agree", xml_body(r"<Name>[^<]*</Name>\s*", "", P.LIST)),
    "a job without an id": ("6.once", json_body('"id":"[^"]*",', "", P.LIST, count=1)),
    "outputs in the status alone": ("6.links-agree", xml_body(r'<Link role="output[^>]*>[^<]*</Link>\s*', "", P.LIST)),
    "an error message of a Completed job": (
        "3.aborted-message",
        json_body(r'("failedEntityCount":\d*,"processedEntityCount":\d*,"status":"Comp)', r'"errorMessage":"",\1'),
    ),
    "a notice that is encoded twice": ("2.texts", xml_body("©", "Â©")),
    "the job type as a load's description": (
        "3.list-alone",
        json_body('"description":"[^"]*"', '"description":"DataSourceComplete"', P.STATUS, kind="DataSourceComplete"),
    ),
    "one text in place of a list": (
        "5.error-details",
        json_body('"errorDetails":\\[("[^"]*")\\]', r'"errorDetails":\1', P.NO_JOB),
    ),
    "the same of an Aborted job": (
        "2.aborted-error-details",
        json_body('"errorDetails":\\[("[^"]*")\\]', r'"errorDetails":\1', P.STATUS),
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_breaks_its_rule(name: str, full: Recording) -> None:
    broken, mutation = MISTAKES[name]
    (rule,) = [rule for rule in RULES if rule.id == broken]
    assert verdict(rule, full).outcome is Outcome.PASSED
    assert verdict(rule, mutation(full)).outcome is Outcome.FAILED


def test_links_from_https_to_http_are_told_and_not_judged(full: Recording) -> None:
    (rule,) = [rule for rule in RULES if rule.id == "3.base"]
    in_the_clear = all_of(
        json_body(r"https(:\\/\\/[^\"]*REST)", r"http\1"),
        xml_body("https(://[^<]*REST)", r"http\1"),
    )(full)
    assert verdict(rule, in_the_clear).outcome is Outcome.PASSED
    found = verdict(rule, replace(in_the_clear, scheme="https"))
    assert found.outcome is Outcome.SKIPPED
    assert "send their key in the clear" in found.reason
