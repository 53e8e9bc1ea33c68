"""Our own server fails no rule; what can't be checked is skipped with its reason."""

from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import pytest

from adapters.model.jobs import JobStatus
from proxy.conformance.recording import Recording
from proxy.conformance.rule import Outcome, evaluate
from proxy.conformance.rules import RULES
from proxy.wire import errors
from proxy.wire.job_resources import STATUS_TEXTS
from tests.conftest import StartServer
from tests.integration.conformance.endpoints import record
from tests.support.queries import load, start_querying, stores
from tests.support.storage import Storage

NO_SUCH_JOB = errors.ErrorCode.NO_SUCH_JOB.value

# No sound server shows these at will.
NEVER_CHECKED = {"5.server-fault", "5.unavailable"}
ALWAYS_SKIPPED = {"2.empty-list", "4.kept-link", *NEVER_CHECKED}
# Rules of section 4 that an endpoint without signed links can't show; the others are about its own output paths.
OF_REDIRECTS = {"plain-bytes", "redirect", "no-store", "location", "location-works", "authenticates", "linked"}
OF_SIGNED_LINKS = {rule.id for rule in RULES if rule.section == 4} - {f"4.{name}" for name in OF_REDIRECTS}
OF_QUERIES = {rule.id for rule in RULES if str(rule.section).startswith("q")}
OF_QUERY_KEYS = {"5.query-key"} | {rule.id for rule in RULES if rule.id.startswith("6.query-key")}


def evaluate_all(recording: Recording) -> tuple[set[str], dict[str, str]]:
    """The failed rules, and the skipped ones with their reasons."""
    results = [evaluate(rule, recording) for rule in RULES]
    failed = {each.rule.id for each in results if each.outcome is Outcome.FAILED}
    return failed, {each.rule.id: each.reason for each in results if each.outcome is Outcome.SKIPPED}


@pytest.mark.slow
def test_odd_ids_and_many_entities_fail_no_rule(storage: Storage, tmp_path: Path) -> None:
    load(storage, stores("'O''Neil\" (1) é&%20", "a b", "A", "a"), "Grid-0")
    load(storage, stores(count=300), "Grid-0", "completeStaging")
    load(storage, stores(count=300), "Grid-1")
    with start_querying(storage, tmp_path, cors_origins="") as server:
        failed, skipped = evaluate_all(record(server))
    assert not failed
    assert {each: skipped[each] for each in OF_QUERIES & skipped.keys()} == {
        "q1.staging": "a version is staged",
        "q2.2.null": "no value is missing",
        "q2.7.cors": "no origin of browsers is allowed, or not the made-up one",
    } | dict.fromkeys(
        [f"q2.{part}.{name}" for part in "12" for name in ("booleans", "dates", "geographies")],
        "no entity has such a property",
    )


@pytest.mark.parametrize("recorded", ["full", "demo"])
def test_rows_of_every_kind_fail_no_rule(recorded: str, request: pytest.FixtureRequest) -> None:
    failed, skipped = evaluate_all(request.getfixturevalue(recorded))
    assert (failed, set(skipped)) == (set(), ALWAYS_SKIPPED | OF_QUERIES)
    assert {skipped[each] for each in OF_QUERIES} == {"no published data source is listed"}


def test_queries_of_loaded_data_sources_fail_no_rule(queried: Recording) -> None:
    failed, skipped = evaluate_all(queried)
    assert not failed
    assert not OF_QUERIES & skipped.keys()


def test_links_that_stay_on_the_proxy_fail_no_rule(redirected: Recording) -> None:
    failed, skipped = evaluate_all(redirected)
    assert (failed, set(skipped)) == (
        set(),
        OF_QUERIES | {"2.empty-list", *NEVER_CHECKED, *OF_SIGNED_LINKS} - {"4.kept-link"},
    )
    assert skipped["4.signed"] == "no output link is signed: none is there, or the endpoint keeps them on itself"


def test_empty_account_fails_no_rule_and_shows_reasons(empty: Recording) -> None:
    failed, skipped = evaluate_all(empty)
    assert not failed
    assert "2.empty-list" not in skipped
    assert {"1.geocode-status", "2.aborted-error-details", "3.status"} < skipped.keys()
    assert all(skipped.values())
    # Half of the contract needs no job.
    assert len(RULES) - len(skipped) > 60


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
def test_settings_fail_no_rule(
    settings: dict[str, str], reasons: dict[str, str], samples: Storage, start: StartServer
) -> None:
    failed, skipped = evaluate_all(record(start(samples, **settings), query_key=None))
    assert (failed, set(skipped)) == (set(), ALWAYS_SKIPPED | OF_QUERIES | OF_QUERY_KEYS | reasons.keys())
    assert all(reason in skipped[rule_id] for rule_id, reason in reasons.items())


def test_server_with_faults_fails_their_rules(
    storage: Storage, start: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(STATUS_TEXTS, JobStatus.ABORTED, "Failed")
    monkeypatch.setattr(errors.ErrorCode.NO_SUCH_JOB, "_value_", replace(NO_SUCH_JOB, status=HTTPStatus.GONE))
    storage.job(status="Failed")
    failed, _ = evaluate_all(record(start(storage)))
    assert failed == {"1.name-characters", "1.name-hyphen", "1.name-length", "1.odd-id", "3.status", "5.no-such-job"}


def test_load_without_data_source_name_skips_its_link(storage: Storage, start: StartServer) -> None:
    storage.job(DataSourceName="Shop")
    failed, skipped = evaluate_all(record(start(storage)))
    assert not failed
    assert "may not name its data source" in skipped["3.service-there"]
