"""Every rule can be broken: a recorded answer is changed, and the rule's verdict with it."""

from collections import Counter

import pytest

from proxy.conformance.recording import Recording
from proxy.conformance.rule import Outcome, Rule, verdict
from proxy.conformance.rules.catalog import RULES, SECTIONS
from tests.integration.conformance.job_mutations import LINKS, OUTPUTS, RESOURCES
from tests.integration.conformance.mutations import ENVELOPE, ERRORS, LIST, REQUESTS

MUTATIONS = REQUESTS | ENVELOPE | RESOURCES | LINKS | OUTPUTS | ERRORS | LIST

# Kept by a record of its own: an empty list is none where there are jobs.
OF_AN_EMPTY_LIST = {"2.empty-list"}
# Kept by the links of a server that signs none.
OF_KEPT_LINKS = {"4.kept-link"}
# A sound server shows neither.
NEVER_KEPT = {"5.server-fault", "5.unavailable"}


def test_no_rule_lacks_a_mutation_and_none_is_there_twice() -> None:
    assert [name for name, count in Counter(rule.id for rule in RULES).items() if count > 1] == []
    assert MUTATIONS.keys() == {rule.id for rule in RULES}
    assert {rule.section for rule in RULES} == set(SECTIONS)


@pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])
def test_a_changed_answer_breaks_the_rule(rule: Rule, full: Recording, empty: Recording, redirected: Recording) -> None:
    record = empty if rule.id in OF_AN_EMPTY_LIST else redirected if rule.id in OF_KEPT_LINKS else full
    before = verdict(rule, record)
    assert before.outcome is (Outcome.SKIPPED if rule.id in NEVER_KEPT else Outcome.PASSED), before.reason
    after = verdict(rule, MUTATIONS[rule.id](record))
    assert after.outcome is Outcome.FAILED, after
    assert after.exhibits
    assert all(seen.wrong for seen in after.exhibits)
