"""What a sound endpoint may answer, though ours does not: no rule is broken by it."""

import re
from dataclasses import replace
from itertools import count

import pytest

from proxy.conformance.exchange import Purpose
from proxy.conformance.recording import Recording
from proxy.conformance.rule import Outcome, verdict
from proxy.conformance.rules.catalog import RULES
from tests.integration.conformance.breaking import Mutation, all_of, answer, each, json_body, of, xml_body

P = Purpose
OUTPUTS = (P.OUTPUT, P.OUTPUT_CASE, P.OUTPUT_LISTED, P.OUTPUT_DOWNLOAD)
TRACE_ID = re.compile(b'(?<="traceId":")[0-9a-f]{32}')
JSON = (("Content-Type", "application/json; charset=utf-8"),)


def _with_another_job(record: Recording) -> Recording:
    """A job came, and one went, when the query key's turn was."""
    turn = [each.ask.purpose for each in record.exchanges].index(P.LIST_QUERY_KEY)
    later = json_body('"id":"[^"]*"(?=,"name")', '"id":"new"', P.LIST_QUERY_KEY, P.LIST_AGAIN, count=1)(record)
    return replace(record, exchanges=record.exchanges[:turn] + later.exchanges[turn:])


def _new_trace_ids(record: Recording) -> Recording:
    """A copied answer has one of its own."""
    numbers = count()
    fresh = each(of(), lambda found: replace(found, body=TRACE_ID.sub(b"%032x" % next(numbers), found.body)))
    return fresh(record)


def _expired(record: Recording) -> Recording:
    """Every output is gone, of the endpoint and of storage."""
    missing = next(record.of(P.OUTPUT_MISSING)).body
    outputs = answer(of(*OUTPUTS, P.HEAD_OUTPUT), status=404, headers=JSON)
    links = answer(of(P.LINK_APPENDED, P.LINK_DROPPED, P.LINK_HEAD, P.LOCATION), status=404)
    bodies = answer(of(*OUTPUTS), body=missing)
    return all_of(outputs, links, bodies)(record)


SOUND: dict[str, Mutation] = {
    "a Pending job that goes on while it is asked for": xml_body(
        "(<Status>Pending<.*?<ProcessedEntityCount>)[0-9]+", r"\g<1>8", P.STATUS
    ),
    "a job that comes while the list is asked for": _with_another_job,
    "outputs that have expired": all_of(_expired, _new_trace_ids),
}


@pytest.mark.parametrize("name", SOUND)
def test_it_breaks_no_rule(name: str, full: Recording) -> None:
    changed = SOUND[name](full)
    assert changed != full
    verdicts = [verdict(rule, changed) for rule in RULES]
    assert [(found.rule.id, found.exhibits) for found in verdicts if found.outcome is Outcome.FAILED] == []


@pytest.mark.parametrize("name", ["1.output-kind", "1.output-listed", "1.output-download"])
def test_an_output_that_a_link_gives_has_not_expired(name: str, full: Recording) -> None:
    (rule,) = [rule for rule in RULES if rule.id == name]
    expired = _expired(full)
    assert "may have expired" in verdict(rule, expired).reason
    there = answer(of(P.LINK_APPENDED), status=200)(expired)
    assert verdict(rule, there).outcome is Outcome.FAILED
