"""Alert rules and dashboard: promtool judges the rules; here stands what ties both to the program's metrics."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.deploy.tools import ROOT, run_tool
from tests.support.metric_table import METRICS

FOLDER = ROOT / "deploy" / "prometheus"
RULES: dict[str, Any] = yaml.safe_load((FOLDER / "alerts.yaml").read_text(encoding="utf-8"))
CASES: dict[str, Any] = yaml.safe_load((FOLDER / "alerts.test.yaml").read_text(encoding="utf-8"))
BOARD: dict[str, Any] = json.loads((ROOT / "deploy" / "grafana" / "dashboard.json").read_text(encoding="utf-8"))
ALERTS: list[dict[str, Any]] = [rule for group in RULES["groups"] for rule in group["rules"]]

PREFIX = "spatial_proxy_"
SUFFIXES = ("_total", "_bucket", "_sum", "_count", "")
# The labels that Prometheus adds itself.
TARGET = {"job", "instance", "le"}
_SELECTOR = re.compile(rf"({PREFIX}\w+)(?:\{{([^}}]*)\}})?")


def metric_of(series: str) -> Any:
    """The metric that a series belongs to; None where there is none."""
    names = {metric.name: metric for metric in METRICS}
    return next((names[series.removesuffix(end)] for end in SUFFIXES if series.removesuffix(end) in names), None)


def expressions(panels: list[dict[str, Any]]) -> Iterator[str]:
    """The expressions of all panels, rows' panels too."""
    for panel in panels:
        yield from (target["expr"] for target in panel.get("targets", []))
        yield from expressions(panel.get("panels", []))


SHOWN = list(expressions(BOARD["panels"]))
ASKED = [rule["expr"] for rule in ALERTS]


@pytest.mark.parametrize("expression", [*ASKED, *SHOWN], ids=lambda text: text[:60])
def test_an_expression_asks_for_metrics_and_labels_that_exist(expression: str) -> None:
    found = _SELECTOR.findall(expression)
    assert found or "up{" in expression or "up)" in expression
    for series, matchers in found:
        metric = metric_of(series)
        assert metric is not None, f"no metric {series}"
        labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers))
        assert labels <= {*metric.labels, *TARGET}, f"{series} has no label {labels - {*metric.labels, *TARGET}}"


def test_the_dashboard_shows_every_metric() -> None:
    shown = {metric_of(series).name for text in SHOWN for series, _ in _SELECTOR.findall(text)}
    assert {metric.name for metric in METRICS} - shown <= {f"{PREFIX}build_info"}


def test_a_metric_with_an_account_can_be_chosen_by_account() -> None:
    for text in SHOWN:
        for series, matchers in _SELECTOR.findall(text):
            assert "account" not in metric_of(series).labels or "account" in matchers, text


def test_the_dashboard_can_be_imported_anywhere() -> None:
    ids = [panel["id"] for panel in BOARD["panels"]]
    assert len(ids) == len(set(ids))
    assert BOARD.get("id") is None
    for panel in BOARD["panels"]:
        for target in panel.get("targets", []):
            assert target["datasource"]["uid"].startswith("${")
        assert panel["type"] == "row" or panel["description"]


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_it_means_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert re.fullmatch(r"\d+[mhd]", rule["for"])
    assert rule["annotations"]["summary"]
    assert " What to do: " in rule["annotations"]["description"]


def test_each_alert_fires_in_one_case_and_not_in_another() -> None:
    names, firing, silent = {rule["alert"] for rule in ALERTS}, set[str](), set[str]()
    for case in CASES["tests"]:
        for test in case["promql_expr_test"]:
            fired = {name for each in test["exp_samples"] for name in re.findall(r'alertname="(\w+)"', each["labels"])}
            asked = set(re.findall(r'alertname=~?"(\w+)"', test["expr"]))
            firing |= fired
            silent |= asked - fired
    assert firing == names
    assert silent == names


def test_the_example_scrapes_the_jobs_that_the_rules_ask_for() -> None:
    example = yaml.safe_load((FOLDER / "prometheus.yaml").read_text(encoding="utf-8"))
    assert example["rule_files"] == ["alerts.yaml"]
    text = (FOLDER / "alerts.yaml").read_text(encoding="utf-8")
    assert all(f'up{{job="{job["job_name"]}"}}' in text for job in example["scrape_configs"])


@pytest.mark.parametrize(
    "words",
    [
        "check rules alerts.yaml",
        "check config prometheus.yaml",
        pytest.param("test rules alerts.test.yaml", marks=pytest.mark.slow),
    ],
)
def test_promtool_finds_nothing(words: str) -> None:
    done = run_tool("promtool", *words.split(), folder=FOLDER)
    assert done.returncode == 0, done.stdout + done.stderr
