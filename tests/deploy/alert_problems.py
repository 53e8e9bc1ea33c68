"""What is wrong with alert rules, and with the cases that promtool tests them by."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from promql_parser import VectorSelector, parse

from tests.deploy.promql_names import read
from tests.deploy.series import SERIES

SEVERITIES = ("warning", "critical")
MEMBERS = {"alert", "expr", "for", "labels", "annotations"}

# Functions that templates of annotations may use.
TEMPLATE_FUNCTIONS = ("humanize", "humanizePercentage", "humanizeDuration", 'printf "%.0f"')

_TEMPLATE = re.compile(r"\{\{\s*(.*?)\s*\}\}")
_VALUE = re.compile(r"\$(?:value|labels\.(\w+))(?: \| (.+))?")

Rules = dict[str, Any]


def alerts(rules: Rules) -> list[dict[str, Any]]:
    """The alerts of all groups."""
    return [rule for group in rules["groups"] for rule in group["rules"]]


def problems(rules: Rules) -> list[str]:
    """All that is wrong with the rules."""
    twice = Counter(rule["alert"] for rule in alerts(rules))
    twice.update(group["name"] for group in rules["groups"])
    found = [f"{name} twice" for name, count in twice.items() if count > 1]
    return [*found, *(f"{rule['alert']}: {problem}" for rule in alerts(rules) for problem in _rule(rule))]


def _rule(rule: dict[str, Any]) -> Iterator[str]:
    if rule.keys() != MEMBERS:
        yield f"it has {', '.join(sorted(rule))}"
        return
    if rule["labels"].get("severity") not in SEVERITIES:
        yield "no severity"
    if not re.fullmatch(r"\d+[mhd]", rule["for"]):
        yield "for no time"
    reading = read(rule["expr"])
    yield from reading.problems
    annotations = rule["annotations"]
    if annotations.keys() != {"summary", "description"}:
        yield "no summary and description"
        return
    before, asked, after = annotations["description"].partition(" What to do: ")
    if not (asked and before.endswith(".") and after.endswith(".")):
        yield "the description doesn't say what it means and what to do"
    labels = reading.labels or frozenset()
    yield from _templates(annotations, labels)
    for label in sorted(labels - {"job"}):
        if f"$labels.{label}" not in annotations["summary"]:
            yield f"the summary doesn't tell {label}"


def _templates(annotations: dict[str, str], labels: frozenset[str]) -> Iterator[str]:
    for template in _TEMPLATE.findall(" ".join(annotations.values())):
        match = _VALUE.fullmatch(template)
        if match is None or (match[2] and match[2] not in TEMPLATE_FUNCTIONS):
            yield f"no template: {template}"
        elif match[1] and match[1] not in labels:
            yield f"the result has no label {match[1]}"


def case_problems(rules: Rules, cases: dict[str, Any]) -> list[str]:
    """What is wrong with the cases: each alert fires in one and in another it does not, each series is one of ours."""
    names = {rule["alert"] for rule in alerts(rules)}
    firing, silent = set[str](), set[str]()
    found = []
    for case in cases["tests"]:
        found += [problem for entry in case["input_series"] for problem in _series(entry["series"])]
        for test in case["promql_expr_test"]:
            told = {_matcher(sample["labels"], "alertname") for sample in test["exp_samples"]}
            asked = {name for name in names if re.fullmatch(_matcher(test["expr"], "alertname") or ".*", name)}
            firing |= told
            # Of all alerts at once says too little: there the series may be missing.
            silent |= asked - told if asked != names else set()
    found += [f"{name} never fires" for name in sorted(names - firing)]
    return found + [f"{name} is never silent" for name in sorted(names - silent)]


def _matcher(selector: str, label: str) -> str:
    tree = parse(selector)
    assert isinstance(tree, VectorSelector)
    assert tree.name == "ALERTS"
    return next((matcher.value for matcher in tree.matchers.matchers if matcher.name == label), "")


def _series(text: str) -> Iterator[str]:
    tree = parse(text)
    assert isinstance(tree, VectorSelector)
    series = SERIES.get(tree.name or "")
    if series is None:
        yield f"no metric {tree.name}"
        return
    for matcher in tree.matchers.matchers:
        if matcher.name not in series.labels:
            yield f"{series.name} has no label {matcher.name}"
        elif (words := series.words(matcher.name)) is not None and matcher.value not in words:
            yield f"{matcher.name} of {series.name} is never {matcher.value}"
