"""What a sound endpoint may answer, though ours does not: no rule is broken by it."""

import pytest

from proxy.conformance.exchanges import Purpose
from proxy.conformance.record import Record
from proxy.conformance.rule import Outcome, verdict
from proxy.conformance.rules.table import RULES
from tests.conformance.breaking import Mutation, xml_body

P = Purpose

SOUND: dict[str, Mutation] = {
    "a Pending job that goes on while it is asked for": xml_body(
        "(<Status>Pending<.*?<ProcessedEntityCount>)[0-9]+", r"\g<1>8", P.STATUS
    ),
}


@pytest.mark.parametrize("name", SOUND)
def test_it_breaks_no_rule(name: str, full: Record) -> None:
    changed = SOUND[name](full)
    assert changed != full
    verdicts = [verdict(rule, changed) for rule in RULES]
    assert [(each.rule.id, each.exhibits) for each in verdicts if each.outcome is Outcome.BROKEN] == []
