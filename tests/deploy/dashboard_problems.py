"""What is wrong with a Grafana dashboard: its layout, its words, and each of its expressions."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from typing import Any

from proxy.observability.metrics.catalog import METRICS
from tests.deploy.promql_names import Reading, read
from tests.deploy.series import SERIES

WIDTH = 24

# What a current Grafana reads; it brings older ones up to date by itself, down to the first that this range has.
SCHEMA_VERSIONS = range(36, 43)

# Grafana's own variables, and what stands for them where an expression is read.
BUILT_IN = {"__rate_interval": "5m", "__interval": "1m", "__range": "6h"}

UNITS = ("none", "reqps", "ops", "s", "d", "percentunit")

Board = dict[str, Any]

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_LEGEND = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_LABEL_VALUES = re.compile(r"label_values\((.+), (\w+)\)")


def problems(board: Board) -> list[str]:
    """All that is wrong with it."""
    return [*_whole(board), *_variables(board), *_layout(board), *_panels(board), *_unshown(board)]


def expressions(board: Board) -> Iterator[tuple[str, str, str]]:
    """Title, expression and legend of each query, with values in the place of variables."""
    names = {variable["name"] for variable in board["templating"]["list"]}
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], filled(target["expr"], names), target["legendFormat"]


def filled(expression: str, names: set[str]) -> str:
    """An expression as Grafana sends it with all accounts and instances chosen; an unknown variable stays."""

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        return BUILT_IN.get(name, ".*" if name in names else match[0])

    return _VARIABLE.sub(value, expression)


def _whole(board: Board) -> Iterator[str]:
    if board["schemaVersion"] not in SCHEMA_VERSIONS:
        yield f"schemaVersion {board['schemaVersion']}"
    if board["id"] is not None:
        yield "an id of one Grafana"
    for name, count in Counter(panel["id"] for panel in board["panels"]).items():
        if count > 1:
            yield f"id {name} twice"


def _variables(board: Board) -> Iterator[str]:
    for variable in board["templating"]["list"]:
        if variable["type"] != "query":
            continue
        query = variable["query"]["query"]
        match = _LABEL_VALUES.fullmatch(query)
        if match is None:
            yield f"variable {variable['name']}: {query}"
            continue
        pattern = re.fullmatch(r'\{__name__=~"(.+)"\}', match[1])
        found = [one for one in SERIES.values() if re.fullmatch(pattern[1] if pattern else match[1], one.name)]
        if not any(match[2] in one.labels for one in found):
            yield f"variable {variable['name']}: no series of {match[1]} has {match[2]}"


def _layout(board: Board) -> Iterator[str]:
    if not board["panels"] or board["panels"][0]["type"] != "row":
        yield "the first panel is no row"
    for panel in board["panels"]:
        place = panel["gridPos"]
        if min(place.values()) < 0 or place["w"] < 1 or place["h"] < 1 or place["x"] + place["w"] > WIDTH:
            yield f"{panel['title']} is outside"
    for one, other in combinations(board["panels"], 2):
        if _overlap(one["gridPos"], other["gridPos"]):
            yield f"{one['title']} lies over {other['title']}"


def _overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return all(
        one[start] < other[start] + other[size] and other[start] < one[start] + one[size]
        for start, size in (("x", "w"), ("y", "h"))
    )


def _panels(board: Board) -> Iterator[str]:
    names = {variable["name"] for variable in board["templating"]["list"]}
    titles = Counter(panel["title"] for panel in board["panels"])
    yield from (f"two panels: {title}" for title, count in titles.items() if count > 1)
    for panel in board["panels"]:
        if panel["type"] == "row":
            continue
        title = panel["title"]
        if not panel["description"].endswith(".") or panel["description"].count(". ") < 1:
            yield f"{title}: the description doesn't say what it means and what to do"
        if panel["fieldConfig"]["defaults"].get("unit") not in UNITS:
            yield f"{title}: no unit"
        if len({target["refId"] for target in panel["targets"]}) != len(panel["targets"]):
            yield f"{title}: two queries of one refId"
        for source in (panel["datasource"], *(target["datasource"] for target in panel["targets"])):
            if source != {"type": "prometheus", "uid": "${datasource}"}:
                yield f"{title}: a data source of one Grafana"
        for target in panel["targets"]:
            yield from (f"{title}: {problem}" for problem in _query(target, names))


def _query(target: dict[str, Any], names: set[str]) -> Iterator[str]:
    for match in _VARIABLE.finditer(target["expr"]):
        if (match[1] or match[2]) not in names | set(BUILT_IN):
            yield f"no variable {match[0]}"
    reading = read(filled(target["expr"], names))
    yield from reading.problems
    yield from _legend(target["legendFormat"], reading)


def _legend(legend: str, reading: Reading) -> Iterator[str]:
    named = set(_LEGEND.findall(legend))
    labels = reading.labels or frozenset()
    for label in sorted(named - labels):
        yield f"the legend has no {label}"
    for label in sorted(labels - named):
        yield f"the legend doesn't tell {label}: several lines have one name"


def _unshown(board: Board) -> Iterator[str]:
    shown = {metric for _, expression, _ in expressions(board) for metric in read(expression).metrics}
    yield from (f"{metric.name} is not shown" for metric in METRICS if metric.name not in shown)
