"""The Grafana dashboard shows every metric, by names and labels that there are, and its check can fail."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.dashboard_problems import Board, expressions, problems
from tests.deploy.promql_names import read

FILE = Path(__file__).parents[2] / "deploy" / "grafana" / "dashboard.json"
ROWS = ["Requests", "Storage", "Keys and links", "Jobs", "Worker"]


@pytest.fixture
def board() -> Board:
    found: Board = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def test_nothing_is_wrong_with_it(board: Board) -> None:
    assert problems(board) == []


def test_it_has_its_rows(board: Board) -> None:
    assert [panel["title"] for panel in board["panels"] if panel["type"] == "row"] == ROWS


def test_what_has_an_account_can_be_seen_by_account(board: Board) -> None:
    for title, expression, _ in expressions(board):
        if "account" in (read(expression).labels or ()):
            assert 'account=~".*"' in expression, title


def _panel(board: Board, title: str) -> dict[str, Any]:
    found: dict[str, Any] = next(panel for panel in board["panels"] if panel["title"] == title)
    return found


def _expression(title: str, old: str, new: str) -> Callable[[Board], None]:
    def change(board: Board) -> None:
        target = _panel(board, title)["targets"][0]
        assert old in target["expr"]
        target["expr"] = target["expr"].replace(old, new)

    return change


def _set(title: str, *path: str | int, to: object) -> Callable[[Board], None]:
    def change(board: Board) -> None:
        place: Any = _panel(board, title)
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = to

    return change


def _without(title: str) -> Callable[[Board], None]:
    return lambda board: board["panels"].remove(_panel(board, title))


BROKEN: list[tuple[Callable[[Board], None], str]] = [
    (_expression("Queue", "queue_messages", "queue_message"), "no metric spatial_proxy_queue_message"),
    (_expression("Signed links", "signed_links_total", "signed_links"), "no metric spatial_proxy_signed_links"),
    (_expression("Queue", "by (account)", "by (acount)"), "there is no label acount"),
    (_expression("Queue", "{account=", "{acount="), "has no label acount"),
    (_expression("Pending jobs by account", '"Pending"', '"pending"'), "is never pending"),
    (_expression("Failing share", '"5.."', '"6.."'), "is never 6.."),
    (_expression("Requests by status", "rate(", "last_over_time("), "which is a counter"),
    (_set("Requests by status", "targets", 0, "expr", to="spatial_proxy_requests_total"), "rate or increase is meant"),
    (_set("Queue", "targets", 0, "expr", to="rate(spatial_proxy_queue_messages[5m])"), "which is a gauge"),
    (_expression("Queue", "max by", "max by by"), "no expression"),
    (_expression("Queue", "max by", "sum by"), "each process tells"),
    (_expression("Half of the requests within", "le, ", ""), "histogram_quantile without le"),
    (_expression("Half of the requests within", "_bucket", "_sum"), "something else than buckets"),
    (_expression("Failing share", "/ sum by (operation)", "/ sum by (status)"), "never match"),
    (_expression("Queue", "$account", "$acount"), "no variable $acount"),
    (_set("Queue", "targets", 0, "legendFormat", to="{{state}}"), "the legend has no state"),
    (_set("Keys", "targets", 0, "legendFormat", to="{{account}}"), "the legend doesn't tell state"),
    (_set("Queue", "targets", 0, "datasource", to={"type": "prometheus", "uid": "P1"}), "a data source of one"),
    (_set("Queue", "description", to="Jobs that wait"), "what to do"),
    (_set("Queue", "fieldConfig", "defaults", "unit", to="seconds"), "no unit"),
    (_set("Queue", "gridPos", "x", to=0), "lies over"),
    (_set("Queue", "gridPos", "w", to=19), "is outside"),
    (_set("Queue", "id", to=1), "id 1 twice"),
    (_set("Queue", "title", to="Keys"), "two panels: Keys"),
    (_without("Queue"), "spatial_proxy_queue_messages is not shown"),
    (_without("Requests"), "the first panel is no row"),
    (lambda board: board.update(schemaVersion=99), "schemaVersion 99"),
    (lambda board: board.update(id=7), "an id of one Grafana"),
    (
        lambda board: board["templating"]["list"][1]["query"].update(query="label_values(up, account)"),
        "no series of up",
    ),
]


@pytest.mark.parametrize(("change", "told"), BROKEN, ids=[told for _, told in BROKEN])
def test_what_is_wrong_is_told(board: Board, change: Callable[[Board], None], told: str) -> None:
    before = copy.deepcopy(board)
    change(board)
    assert board != before
    assert any(told in problem for problem in problems(board)), problems(board)
