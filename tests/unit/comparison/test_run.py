"""How a run ends where a side is away, wants a pause, or has something alone."""

from collections.abc import Callable
from typing import Any, BinaryIO

import pytest

from proxy.comparison.answer import Answer
from proxy.comparison.connection import TransportError
from proxy.comparison.difference import Outcome
from proxy.comparison.endpoint import Endpoint
from proxy.comparison.findings import Findings
from proxy.comparison.inventory import UnexpectedAnswerError
from proxy.comparison.page import as_page
from proxy.comparison.report import as_lines, build_report
from proxy.comparison.run import MAX_FAILURES, Comparison, Scope

JOBS = b'{"resourceSets":[{"estimatedTotal":0,"resources":[]}]}'
SOURCE = (
    b'<service><workspace><title>N</title><collection href="http://127.0.0.1/REST/v1/data/a/N/T"><title>T</title>'
    b"</collection></workspace></service>"
)
EMPTY = b"<service/>"
PAGE = b'{"d":{"__count":1,"results":[{"__metadata":{"uri":"http://127.0.0.1/REST/v1/data/a/N/T(\'1\')"},"Id":"1"}]}}'
SCHEMA = (
    b'<Edmx><DataServices><Schema><EntityType Name="T"><Key><PropertyRef Name="Id"/></Key>'
    b'<Property Name="Id" Type="Edm.String"/></EntityType></Schema></DataServices></Edmx>'
)
DOWNLOAD = (
    b'{"resourceSets":[{"estimatedTotal":1,"resources":[{"id":"d","status":"Completed",'
    b'"links":[{"role":"output","name":"succeeded","url":"http://127.0.0.1/file"}]}]}]}'
)

Reply = Callable[[str], Answer]


class Scripted(Endpoint):
    """An endpoint that answers by a function of the path; its downloads have this content."""

    reply: Reply
    content = b"1\n2\n"

    def ask(self, method: str, path: str, *_: Any, **__: Any) -> Answer:
        """The scripted answer."""
        assert method == "GET"
        return self.reply(path)

    def fetch(self, url_or_path: str, file: BinaryIO, **__: Any) -> Answer:
        """The content."""
        assert url_or_path == "http://127.0.0.1/file"
        file.write(self.content)
        return Answer(200 if self.content else 404, "Not Found")


class Steps:
    """The pauses that a run makes."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def plan(self, questions: int) -> None:
        """Ignored."""

    def answer(self) -> None:
        """Ignored."""

    def finish(self, about: str) -> None:
        """Ignored."""

    def wait(self, url: str, seconds: float) -> None:
        """Keeps a pause."""
        assert url == "http://127.0.0.1"
        self.waits.append(seconds)


def usual(path: str) -> Answer:
    """An account of one data source with one entity, and a finished download of it."""
    if path == "Dataflows/ListJobs":
        body = JOBS
    elif path.startswith("Dataflows/DataSourceDownload"):
        body = DOWNLOAD
    elif path.endswith("$metadata"):
        body = SCHEMA
    else:
        body = PAGE if path.count("/") == 3 else SOURCE
    return Answer(200, "OK", (("X-Spatial-Data-Proxy", "1"),), body)


def endpoint(reply: Reply, content: bytes = b"1\n2\n") -> Scripted:
    """A side."""
    made = Scripted("http://127.0.0.1", "the-key")
    made.reply, made.content = reply, content
    return made


def run(left: Scripted, right: Scripted, steps: Steps | None = None, **scope: Any) -> Findings:
    """A run with few queries."""
    return Comparison(left, right, Scope(queries=4, **scope), steps or Steps()).run()


def report_of(findings: Findings) -> str:
    """All that a person reads."""
    report = build_report(("http://left", "http://right"), findings, ["the-key"], with_values=True)
    return "\n".join([*as_lines(report), as_page(report)])


def test_two_equal_sides_are_the_same_and_both_ours() -> None:
    findings = run(endpoint(usual), endpoint(usual))
    assert findings.are_same
    assert findings.entities == {"N": (1, 1)}
    assert "note: both sides are this program" in report_of(findings)


def test_other_download_differs_and_a_missing_one_is_not_comparable() -> None:
    findings = run(endpoint(usual), endpoint(usual, b"2\n3\n"))
    assert [each.verdict.outcome for each in findings.found] == [Outcome.DIFFERENT]
    assert "(entities)" in report_of(findings)
    findings = run(endpoint(usual), endpoint(usual, b""))
    assert [each.verdict.outcome for each in findings.found] == [Outcome.NOT_COMPARABLE]
    assert "can&#x27;t be fetched" in report_of(findings)


def test_data_source_of_one_side_alone_is_not_queried() -> None:
    def without(path: str) -> Answer:
        return Answer(200, "OK", (), EMPTY) if path == "data" else usual(path) if "Dataflows" in path else Answer(404)

    findings = run(endpoint(usual), endpoint(without))
    assert not findings.entities
    assert {each.question.title for each in findings.found} >= {"data sources, Atom", "information, Atom", "metadata"}


def test_side_that_wants_a_pause_gets_it() -> None:
    calls: list[str] = []

    def busy(path: str) -> Answer:
        calls.append(path)
        if path == "data/a/N" and calls.count(path) == 1:
            return Answer(429, "Too Many Requests", (("Retry-After", "0"),))
        if path.endswith("$metadata"):
            return Answer(503, "Service Unavailable", (("Retry-After", "3600"),))
        return usual(path)

    steps = Steps()
    findings = run(endpoint(usual), endpoint(busy), steps)
    assert steps.waits == [0]
    assert [each.verdict.reason for each in findings.found] == ["the right side answers HTTP 503, not available"]
    assert not findings.are_same


def test_run_ends_when_a_side_is_gone() -> None:
    asked: list[str] = []

    def gone(path: str) -> Answer:
        asked.append(path)
        if len(asked) > 2:
            raise TransportError("http://127.0.0.1: the connection is refused")
        return usual(path)

    findings = run(endpoint(usual), endpoint(gone))
    assert findings.stopped == f"after {MAX_FAILURES} questions without an answer"
    assert findings.found[0].verdict.reason == "the right side: http://127.0.0.1: the connection is refused"
    assert "stopped after" in report_of(findings)


def test_interrupted_run_asks_no_more() -> None:
    class Interrupted(Steps):
        def answer(self) -> None:
            raise KeyboardInterrupt

    asked: list[str] = []

    def counted(path: str) -> Answer:
        asked.append(path)
        return usual(path)

    with pytest.raises(KeyboardInterrupt):
        run(endpoint(counted), endpoint(usual), Interrupted())
    assert len([each for each in asked if each.startswith("data/")]) <= 1


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (
            Answer(401, "Unauthorized", (), b'{"errorDetails":["No such key: the-key."]}'),
            r"401 Unauthorized: No such key: \*",
        ),
        (Answer(200, "OK", (("Content-Type", "text/html"),), b"<html>"), "an HTML page"),
        (Answer(200, "OK", (), b"{}"), "no envelope of this API"),
    ],
)
def test_side_that_is_no_endpoint_ends_the_run(answer: Answer, problem: str) -> None:
    with pytest.raises(UnexpectedAnswerError, match=problem) as caught:
        run(endpoint(usual), endpoint(lambda _: answer))
    assert "the-key" not in str(caught.value)
    assert caught.value.answer is answer


def test_patterns_choose_data_sources_in_any_letter_case() -> None:
    findings = run(endpoint(usual), endpoint(usual), patterns=("n*",))
    assert set(findings.counts) == {"N"}
    assert not run(endpoint(usual), endpoint(usual), patterns=("other",)).counts


def test_unreadable_page_makes_no_queries() -> None:
    def broken(path: str) -> Answer:
        return Answer(200, "OK", (), b"{") if path.count("/") == 3 else usual(path)

    findings = run(endpoint(broken), endpoint(broken))
    assert findings.entities == {"N": (None, None)}
    assert "not known" in report_of(findings)
