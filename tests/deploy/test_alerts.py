"""The alert rules ask for names and labels that there are, each has its cases, and what checks them can fail."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.alert_problems import Rules, alerts, case_problems, problems

FOLDER = Path(__file__).parents[2] / "deploy" / "prometheus"

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not on the PATH; Debian's package prometheus has it"
)


@pytest.fixture
def rules() -> Rules:
    found: Rules = yaml.safe_load((FOLDER / "alerts.yaml").read_text(encoding="utf-8"))
    return found


@pytest.fixture
def cases() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / "alerts.test.yaml").read_text(encoding="utf-8"))
    return found


def test_nothing_is_wrong_with_them(rules: Rules) -> None:
    assert problems(rules) == []


def test_each_alert_fires_in_one_case_and_not_in_another(rules: Rules, cases: dict[str, Any]) -> None:
    assert case_problems(rules, cases) == []


def test_the_example_knows_the_rules_and_the_jobs_that_they_ask_for() -> None:
    example = yaml.safe_load((FOLDER / "prometheus.yaml").read_text(encoding="utf-8"))
    assert example["rule_files"] == ["alerts.yaml"]
    text = (FOLDER / "alerts.yaml").read_text(encoding="utf-8")
    for job in example["scrape_configs"]:
        assert f'up{{job="{job["job_name"]}"}}' in text


def promtool(*arguments: str, folder: Path = FOLDER) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["promtool", *arguments], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


@needs_promtool
def test_promtool_takes_the_rules_and_the_example() -> None:
    for arguments in (("check", "rules", "alerts.yaml"), ("check", "config", "prometheus.yaml")):
        done = promtool(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_the_cases_hold() -> None:
    done = promtool("test", "rules", "alerts.test.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
@pytest.mark.parametrize(
    ("old", "new", "case"),
    [
        ("seconds) > 3600", "seconds) > 36000", "a job stays"),
        ("seconds) > 3600", "seconds) > 360", "a job stays"),
        ('{status="500"}[15m] offset 15m))', '{status="500"}[15m]))', "a 500 that is"),
        ('{account!="none"}[10m])) > 0.05', "[10m])) > 0.5", "one request in ten"),
    ],
)
def test_a_case_fails_where_a_rule_is_wrong(
    tmp_path: Path, cases: dict[str, Any], old: str, new: str, case: str
) -> None:
    text = (FOLDER / "alerts.yaml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "alerts.yaml").write_text(text.replace(old, new), encoding="utf-8")
    cases["tests"] = [one for one in cases["tests"] if one["name"].startswith(case)]
    assert len(cases["tests"]) == 1
    (tmp_path / "alerts.test.yaml").write_text(yaml.safe_dump(cases), encoding="utf-8")
    done = promtool("test", "rules", "alerts.test.yaml", folder=tmp_path)
    assert done.returncode == 1
    assert "FAILED" in done.stdout + done.stderr


def _rule(rules: Rules, name: str) -> dict[str, Any]:
    return next(rule for rule in alerts(rules) if rule["alert"] == name)


def _expression(name: str, old: str, new: str) -> Callable[[Rules], None]:
    def change(rules: Rules) -> None:
        assert old in _rule(rules, name)["expr"]
        _rule(rules, name)["expr"] = _rule(rules, name)["expr"].replace(old, new)

    return change


def _annotation(name: str, member: str, text: str) -> Callable[[Rules], None]:
    return lambda rules: _rule(rules, name)["annotations"].update({member: text})


BROKEN: list[tuple[Callable[[Rules], None], str]] = [
    (_expression("JobsNotMoving", "oldest_", "older_"), "no metric spatial_proxy_older_pending_job_seconds"),
    (_expression("KeyEndsSoon", "by (account)", "by (key)"), "there is no label key"),
    (_expression("StorageErrors", '"held back"', '"held"'), "kind of spatial_proxy_storage_errors_total is never held"),
    (_expression("KeyRingChangeRefused", '"refused"', '"lost"'), "is never lost"),
    (_expression("WorkerJobsLost", '"lost"', '"refused"'), "is never refused"),
    (_expression("AuthenticationFailuresSurge", '"CredentialsExpired"', '"Expired"'), "is never Expired"),
    (_expression("StorageErrors", "/ on (account) group_left ()", "/ on (account)"), "finds several for one"),
    (_expression("StorageErrors", "/ on (account) group_left ()", "/"), "never match"),
    (_expression("CensusStale", "on (account)", "on (state)"), "there is no label state"),
    (_expression("RequestsEndIn500", " offset 15m", " offset 5m"), "rate or increase is meant"),
    (_expression("RequestsEndIn500", "increase(", "rate(rate("), "no expression"),
    (_expression("KeyEndsSoon", "min by (account) (", "sum by (account) ("), "each process tells"),
    (_expression("ProxyAbsent", "absent", "quantile_over_time"), "no expression"),
    (_expression("ProxyDown", "up{", "ceil(up{"), "no expression"),
    (_expression("ProxyDown", 'up{job="spatial-data-proxy"}', "ceil(up)"), "ceil is not known"),
    (_annotation("AccountBroken", "summary", "{{ $labels.acount }} is broken"), "the result has no label acount"),
    (_annotation("AccountBroken", "summary", "It is broken"), "the summary doesn't tell account"),
    (_annotation("AccountBroken", "summary", "{{ $labels.account | title }}"), "no template"),
    (_annotation("AccountBroken", "description", "It is broken."), "what to do"),
    (lambda rules: _rule(rules, "AccountBroken")["annotations"].pop("summary"), "no summary"),
    (lambda rules: _rule(rules, "AccountBroken").update(alert="CensusStale"), "CensusStale twice"),
    (lambda rules: _rule(rules, "AccountBroken")["labels"].clear(), "no severity"),
    (lambda rules: _rule(rules, "AccountBroken").pop("for"), "it has alert, annotations, expr, labels"),
    (lambda rules: _rule(rules, "AccountBroken").update({"for": "soon"}), "for no time"),
]


@pytest.mark.parametrize(("change", "told"), BROKEN, ids=[told for _, told in BROKEN])
def test_what_is_wrong_is_told(rules: Rules, change: Callable[[Rules], None], told: str) -> None:
    change(rules)
    assert any(told in problem for problem in problems(rules)), problems(rules)


def test_a_case_that_is_missing_or_misspelt_is_told(rules: Rules, cases: dict[str, Any]) -> None:
    cases["tests"] = [case for case in cases["tests"] if not case["name"].startswith("a job stays")]
    cases["tests"][0]["input_series"][0]["series"] = "upp"
    cases["tests"][1]["input_series"][0]["series"] = 'spatial_proxy_requests_total{state="a", status="okay"}'
    assert case_problems(rules, cases) == [
        "no metric upp",
        "spatial_proxy_requests_total has no label state",
        "status of spatial_proxy_requests_total is never okay",
        "JobsNotMoving never fires",
        "JobsNotMoving is never silent",
    ]
