"""Thirty differences, each planted in the answers that one side gave in a run: each is found."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from proxy.comparison.answer import Answer
from proxy.comparison.difference import Question, compare_answers
from proxy.comparison.endpoint import Endpoint, Parameters
from proxy.comparison.page import as_page
from proxy.comparison.report import as_lines, build_report
from proxy.comparison.run import Comparison, Scope
from tests.support.live import MASTER, LiveServer

Edit = Callable[[str, Answer], Answer]

SHOPS = "FourthCoffeeSample"


class Silent:
    """Shows nothing."""

    def plan(self, questions: int) -> None:
        """Ignored."""

    def answer(self) -> None:
        """Ignored."""

    def finish(self, about: str) -> None:
        """Ignored."""

    def wait(self, url: str, seconds: float) -> None:
        """Ignored."""


class Recorded(Endpoint):
    """An endpoint that sends each request once, and edits what it repeats."""

    answers: dict[str, Answer]
    edit: Edit | None = None

    def ask(self, method: str, path: str, parameters: Parameters = (), **_: Any) -> Answer:
        """The answer of the first time, edited."""
        pairs = parameters.items() if isinstance(parameters, Mapping) else parameters
        request = f"{path}?{'&'.join('='.join(each) for each in pairs)}"
        if request not in self.answers:
            self.answers[request] = super().ask(method, path, parameters)
        answer = self.answers[request]
        return self.edit(request, answer) if self.edit else answer


SCOPE = Scope(queries=20, with_values=True)


@pytest.fixture(scope="module")
def run(sides: tuple[LiveServer, LiveServer]) -> tuple[Recorded, Recorded]:
    """Both sides with the answers of a run that found no difference."""
    endpoints = []
    for side in sides:
        endpoint = Recorded(side.url, MASTER)
        endpoint.answers = {}
        endpoints.append(endpoint)
    left, right = endpoints
    assert Comparison(left, right, SCOPE, Silent()).run().are_same
    return left, right


def in_body(pattern: str, text: str, where: str = "", count: int = 1) -> Edit:
    """Replaces what matches in the bodies of answers to requests that match."""

    def edit(request: str, answer: Answer) -> Answer:
        if not re.search(where, request):
            return answer
        return replace(answer, body=re.sub(pattern, text, answer.body.decode(), count=count, flags=re.DOTALL).encode())

    return edit


def in_json(change: Callable[[Any], object], where: str) -> Edit:
    """Changes the JSON of answers to requests that match."""

    def edit(request: str, answer: Answer) -> Answer:
        if not re.search(where, request) or not answer.body.startswith(b"{"):
            return answer
        found = json.loads(answer.body)
        change(found)
        return replace(answer, body=json.dumps(found).encode())

    return edit


def of_entities(change: Callable[[list[dict[str, Any]]], object], where: str = f"{SHOPS}.*skip=0") -> Edit:
    """Changes the list of entities."""
    return in_json(lambda found: change(found["d"]["results"]), where)


def of_jobs(change: Callable[[list[dict[str, Any]]], object], where: str = "ListJobs") -> Edit:
    """Changes the jobs of an envelope."""
    return in_json(lambda found: change(found["resourceSets"][0]["resources"]), where)


def of_status(status: int, where: str) -> Edit:
    """Answers with another status."""
    return lambda request, answer: replace(answer, status=status) if re.search(where, request) else answer


def of_header(name: str, value: str, where: str) -> Edit:
    """Answers with another header."""

    def edit(request: str, answer: Answer) -> Answer:
        others = tuple(each for each in answer.headers if each[0].lower() != name)
        return replace(answer, headers=(*others, (name, value))) if re.search(where, request) else answer

    return edit


def swap(found: list[Any]) -> None:
    """The first two change places."""
    found[0], found[1] = found[1], found[0]


def finished(jobs: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The first finished job with counts."""
    return next(each for each in jobs if each["status"] == "Completed" and "totalEntityCount" in each)


def first_set(found: list[dict[str, Any]], **members: object) -> None:
    """Members of the first entity get other values."""
    found[0].update(members)


def a_metre_north(found: list[dict[str, Any]]) -> None:
    """The first entity moves."""
    found[0]["Latitude"] += 9e-6


# What is planted, and what the report must name.
PLANTED: dict[str, tuple[Edit, str]] = {
    "entity moved by a metre": (
        of_entities(lambda all_: first_set(all_, Latitude=all_[0]["Latitude"] + 9e-6)),
        "Latitude",
    ),
    "entity moved in Atom": (in_body(r"(<d:Longitude[^>]*>-?\d+\.\d{5})\d", r"\g<1>x", SHOPS), "d:Longitude"),
    "empty for null": (in_json(lambda found: first_set(found["d"]["results"], Rate=""), "AreasSample.*skip=0"), "Rate"),
    "null for empty": (of_entities(lambda all_: first_set(all_, Name=None)), "Name"),
    "missing property": (of_entities(lambda all_: all_[0].pop("Phone")), "Phone"),
    "another property": (of_entities(lambda all_: first_set(all_, Surprise="")), "Surprise"),
    "order of properties": (of_entities(lambda all_: first_set(all_, Phone=all_[0].pop("Phone"))), "order of members"),
    "order of a page": (of_entities(swap), "results(order)"),
    "duplicate id": (of_entities(lambda all_: all_.insert(1, all_[0])), "results[1]"),
    "missing entity": (of_entities(lambda all_: all_.pop(3)), "results[3]"),
    "another id": (of_entities(lambda all_: first_set(all_, EntityID="x")), "EntityID"),
    "letter case of a text": (of_entities(lambda all_: first_set(all_, Name=all_[0]["Name"].swapcase())), "Name"),
    "text for a number": (of_entities(lambda all_: first_set(all_, Latitude=str(all_[0]["Latitude"]))), "Latitude"),
    "true for 1": (in_body('"__count":300', '"__count":true', "Many"), "__count"),
    "count off by one": (in_json(lambda found: found["d"].update(__count=301), "Many.*skip=0"), "__count"),
    "distance": (in_body(r'("__Distance":\d+\.\d\d)\d', r"\g<1>x"[:-1] + "0123", "nearby"), "__Distance"),
    "type in Atom": (in_body(r'm:type="Edm\.Double"', 'm:type="Edm.String"', SHOPS), "@m:type"),
    "namespace of a feed": (in_body("<feed xmlns:d=", "<feed xmlns:e=", SHOPS), "body"),
    "a job's count": (of_jobs(lambda all_: finished(all_).update(totalEntityCount=99)), "totalEntityCount"),
    "a job's status": (of_jobs(lambda all_: finished(all_).update(status="Aborted")), "status"),
    "a job's description": (of_jobs(lambda all_: all_[0].update(description="x")), "description"),
    "a job's message": (in_body(r"No latitude\.", "No longitude.", "ListJobs"), "rrorMessage"),
    "a missing job": (of_jobs(lambda all_: all_.pop()), "resources["),
    "order of jobs": (of_jobs(list.reverse), "resources(order)"),
    "a link's role": (in_body('"role":"self"', '"role":"Self"', "Dataflows/Geocode"), "role"),
    "a link less": (of_jobs(lambda all_: all_[0]["links"].pop(), "Dataflows/Geocode"), "links"),
    "a date's zone": (in_body(r"(<CreatedDate>[^<]*)[+-]\d\d:\d\d<", r"\g<1>+05:30<", "ListJobs"), "CreatedDate"),
    "a date's fraction": (in_body(r"(<CreatedDate>[^<.]*)\.", r"\g<1>.1", "ListJobs"), "CreatedDate"),
    "letter case of the entity type": (in_body("FourthCoffeeShops<", "FourthcoffeeShops<", "^data"), "title"),
    "access id": (in_body("(app:href=[^>]*data/)2018", r"\g<1>2019", "^data"), "@app:href"),
    "public flag": (in_body('isPublic="false"', 'isPublic="true"', "^data"), "isPublic"),
    "type of a property": (in_body('Type="Edm.Int64"', 'Type="Edm.Double"', "metadata"), "@Type"),
    "key property": (in_body('PropertyRef Name="', 'PropertyRef Name="X', "metadata"), "PropertyRef"),
    "missing data source": (in_body("<app:workspace.*?</app:workspace>", "", "^data"), "app:workspace"),
    "status code": (of_status(202, "ListJobs"), "status"),
    "not found": (of_status(404, "Many/Stores"), "status"),
    "content type": (of_header("content-type", "text/plain", "ListJobs"), "content-type"),
    "charset": (of_header("content-type", "application/json; charset=latin-1", "ListJobs"), "content-type"),
    "compressed": (of_header("content-encoding", "gzip", "ListJobs"), "content-encoding"),
}


def kind_of(request: str) -> Question:
    """What a recorded request asks."""
    if request.startswith("Dataflows"):
        return Question.JOBS
    if "$metadata" in request:
        return Question.METADATA
    return Question.QUERY if request.partition("?")[0].count("/") == 3 else Question.INFORMATION


@pytest.mark.parametrize("planted", PLANTED)
def test_planted_difference_is_found(run: tuple[Recorded, Recorded], planted: str) -> None:
    edit, member = PLANTED[planted]
    left, right = run
    paths = set[str]()
    for request, answer in right.answers.items():
        edited = edit(request, answer)
        if edited is not answer and edited != answer:
            verdict = compare_answers(kind_of(request), left.answers[request], edited)
            paths.update(each.path for each in verdict.differences)
    assert any(member in each for each in paths), paths


def test_report_names_what_differs_and_holds_no_key(run: tuple[Recorded, Recorded]) -> None:
    left, right = run
    evil = f"<script>{MASTER}"
    right.edit = of_entities(lambda all_: first_set(all_, Name=evil))
    findings = Comparison(left, right, SCOPE, Silent()).run()
    right.edit = None
    report = build_report((left.url, right.url), findings, [MASTER], with_values=True)
    (finding,) = report["questions"]
    (member,) = finding["members"]
    assert (finding["about"], member["path"], member["right"]) == (
        SHOPS,
        "d.results[0].Name",
        f"<script>{'*' * len(MASTER)}",
    )
    lines, page = "\n".join(as_lines(report)), as_page(report)
    assert "different: FourthCoffeeSample, entities from 1 on, JSON" in lines
    assert "1 different" in lines
    assert "<mark>&lt;</mark>script&gt;" in page
    assert "<script" not in page
    assert MASTER not in page + lines + json.dumps(report)
    assert "script" not in json.dumps(build_report(("", ""), replace(findings, found=[]), [], with_values=False))
