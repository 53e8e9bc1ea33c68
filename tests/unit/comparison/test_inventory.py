"""What an endpoint is asked for its inventory, and what is no answer."""

from collections.abc import Callable
from typing import Any

import pytest

from proxy.comparison.answer import Answer
from proxy.comparison.endpoint import Endpoint
from proxy.comparison.inventory import (
    UnexpectedAnswerError,
    list_jobs,
    list_sources,
    list_versions,
    read_job,
    read_schema,
)
from proxy.comparison.job_list import ListedJob
from proxy.comparison.service_document import ListedSource

SOURCE = ListedSource("N", "a", "T", "data/a/N/T")
JOB = ListedJob("a/b", "Pending", "N", "DataSourceRollback", (), {})
ENVELOPE = b'{"resourceSets":[{"resources":[{"id":"a/b","status":"Completed","links":[]}]}]}'
SCHEMA = b'<Edmx><EntityType Name="t"/></Edmx>'


class Once(Endpoint):
    """An endpoint with one answer, and what it was asked."""

    body = b""
    asked = ""

    def ask(self, method: str, path: str, parameters: Any = (), **_: Any) -> Answer:
        """The answer."""
        self.asked = f"{method} {path} {dict(parameters)}"
        return Answer(200, "OK", (), self.body)


def endpoint(body: bytes) -> Once:
    """An endpoint with this answer."""
    made = Once("http://127.0.0.1", "key")
    made.body = body
    return made


def test_job_is_asked_where_its_type_has_its_status() -> None:
    side = endpoint(ENVELOPE)
    assert read_job(side, JOB).status == "Completed"
    assert side.asked == "GET Dataflows/DataSourceRollback/a%2Fb {}"
    assert [each.id for each in list_jobs(side)] == ["a/b"]


def test_versions_and_schema_of_a_data_source_are_asked() -> None:
    side = endpoint(b"<service/>")
    assert list_versions(side, SOURCE) == list_sources(side) == ()
    list_versions(side, SOURCE)
    assert side.asked == "GET data/a/N {'showAllVersions': 'true'}"
    assert read_schema(endpoint(SCHEMA), SOURCE).entity_type == "t"


@pytest.mark.parametrize(
    ("ask", "body", "problem"),
    [
        (list_jobs, b"{", "no envelope"),
        (lambda side: read_job(side, JOB), b'{"resourceSets":[]}', "no job"),
        (list_sources, b"<feed/>", "no AtomPub service document"),
        (lambda side: read_schema(side, SOURCE), b"<feed/>", "no service metadata document"),
        (lambda side: read_schema(side, SOURCE), b"<Edmx/>", "no schema of the data source"),
    ],
)
def test_other_answer_is_told_in_one_sentence(ask: Callable[[Endpoint], object], body: bytes, problem: str) -> None:
    with pytest.raises(UnexpectedAnswerError, match=f"^http://127.0.0.1: .*: {problem}"):
        ask(endpoint(body))
