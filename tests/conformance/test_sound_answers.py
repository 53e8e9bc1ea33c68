"""What a sound endpoint may answer, though ours does not: no rule is broken by it."""

from dataclasses import replace

import pytest

from proxy.conformance.exchanges import Purpose
from proxy.conformance.record import Record
from proxy.conformance.rule import Outcome, verdict
from proxy.conformance.rules.table import RULES
from tests.conformance.breaking import Mutation, json_body, xml_body

P = Purpose


def _with_another_job(record: Record) -> Record:
    """A job came, and one went, when the query key's turn was."""
    turn = [each.ask.purpose for each in record.exchanges].index(P.LIST_QUERY_KEY)
    later = json_body('"id":"[^"]*"(?=,"name")', '"id":"new"', P.LIST_QUERY_KEY, P.LIST_AGAIN, count=1)(record)
    return replace(record, exchanges=record.exchanges[:turn] + later.exchanges[turn:])


SOUND: dict[str, Mutation] = {
    "a Pending job that goes on while it is asked for": xml_body(
        "(<Status>Pending<.*?<ProcessedEntityCount>)[0-9]+", r"\g<1>8", P.STATUS
    ),
    "a job that comes while the list is asked for": _with_another_job,
}


@pytest.mark.parametrize("name", SOUND)
def test_it_breaks_no_rule(name: str, full: Record) -> None:
    changed = SOUND[name](full)
    assert changed != full
    verdicts = [verdict(rule, changed) for rule in RULES]
    assert [(each.rule.id, each.exhibits) for each in verdicts if each.outcome is Outcome.BROKEN] == []
