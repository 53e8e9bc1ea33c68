"""Our own server keeps every rule that can be judged, and what can't be is told with its reason."""

from dataclasses import replace
from http import HTTPStatus

import pytest

from adapters.model.jobs import JobStatus
from proxy.conformance.recording import Recording
from proxy.conformance.rule import Outcome, RuleResult, verdict
from proxy.conformance.rules.catalog import RULES
from proxy.wire import errors
from proxy.wire.job_resources import STATUS_TEXTS
from tests.conftest import StartServer
from tests.integration.conformance.accounts import record_of
from tests.support.storage import Storage

NO_SUCH_JOB = errors.ErrorCode.NO_SUCH_JOB.value

# What no sound server shows at will.
FAULTS = {"5.server-fault": "no answer was a 500", "5.unavailable": "no answer was a 503"}
NOT_EMPTY = {"2.empty-list": "the list is not empty"}
NOT_KEPT = {"4.kept-link": "no output link leads to the endpoint: none is there, or they are signed"}
NOT_SIGNED = "no output link is signed: none is there, or the endpoint keeps them on itself"


def judged(record: Recording) -> tuple[list[RuleResult], dict[str, str]]:
    """The broken rules, and those not judged with their reasons."""
    verdicts = [verdict(rule, record) for rule in RULES]
    broken = [each for each in verdicts if each.outcome is Outcome.FAILED]
    return broken, {each.rule.id: each.reason for each in verdicts if each.outcome is Outcome.SKIPPED}


def test_rows_of_every_kind_break_no_rule(full: Recording) -> None:
    assert judged(full) == ([], NOT_EMPTY | FAULTS | NOT_KEPT)


def test_the_samples_of_the_demo_break_no_rule(demo: Recording) -> None:
    assert judged(demo) == ([], NOT_EMPTY | FAULTS | NOT_KEPT)


def test_links_that_stay_on_the_proxy_break_no_rule(redirected: Recording) -> None:
    broken, untold = judged(redirected)
    assert not broken
    assert {name for name, reason in untold.items() if reason == NOT_SIGNED} == {
        "4.signed",
        "4.suffix",
        "4.suffix-word",
        "4.suffix-name",
        "4.appended-key",
        "4.dropped-fragment",
        "4.link-head",
        "4.one-blob",
        "4.reading",
        "4.https",
        "4.start",
        "4.end",
        "4.saved-as",
    }
    assert untold["4.delimited"] == "no signed link leads to delimited text"
    assert len(untold) == 13 + 4


def test_an_empty_account_breaks_no_rule_and_says_what_is_missing(empty: Recording) -> None:
    broken, untold = judged(empty)
    assert not broken
    assert "2.empty-list" not in untold
    assert untold["1.geocode-status"] == "no geocode job in the list"
    assert untold["2.aborted-error-details"] == "no Aborted job in the list"
    assert untold["3.status"] == "there is no job in the list"
    assert all(untold.values())
    # Half of the contract needs no job.
    assert len(RULES) - len(untold) > 60


@pytest.mark.parametrize(
    ("settings", "reasons"),
    [
        (
            {"time_zone": "Asia/Kolkata", "copyright": "© Contoso"},
            {"3.zone": "another zone", "2.notice-year": "a setting"},
        ),
        ({"datasource_roles": "datasource", "sas_suffix": "&z={output}#", "public_url": "http://127.0.0.1:1/sds/"}, {}),
        ({"link_scheme": "request"}, {}),
        ({"cors_origins": "https://maps.example.com"}, {}),
        ({"cors_origins": ""}, {}),
    ],
)
def test_a_setting_breaks_no_rule(
    settings: dict[str, str], reasons: dict[str, str], samples: Storage, start: StartServer
) -> None:
    broken, untold = judged(record_of(start(samples, **settings), query_key=None))
    assert not broken
    assert untold.keys() - NOT_EMPTY.keys() - FAULTS.keys() - reasons.keys() == {
        "4.kept-link",
        "5.query-key",
        "6.query-key",
        "6.query-key-jobs",
        "6.query-key-geocode",
        "6.query-key-information",
    }
    for name, reason in reasons.items():
        assert reason in untold[name]


def test_a_server_that_breaks_rules_is_caught(
    storage: Storage, start: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(STATUS_TEXTS, JobStatus.ABORTED, "Failed")
    monkeypatch.setattr(errors.ErrorCode.NO_SUCH_JOB, "_value_", replace(NO_SUCH_JOB, status=HTTPStatus.GONE))
    storage.job(status="Failed")
    broken, _ = judged(record_of(start(storage)))
    assert {each.rule.id for each in broken} == {
        "1.name-characters",
        "1.name-hyphen",
        "1.name-length",
        "1.odd-id",
        "3.status",
        "5.no-such-job",
    }


def test_a_load_that_names_no_data_source_is_not_judged_by_its_link(storage: Storage, start: StartServer) -> None:
    storage.job(DataSourceName="Shop")
    broken, untold = judged(record_of(start(storage)))
    assert not broken
    assert "may not name its data source" in untold["3.service-there"]
