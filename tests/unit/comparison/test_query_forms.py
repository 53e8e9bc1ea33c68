"""Queries that are made from entities."""

from random import Random

import pytest

from proxy.comparison.difference import Question
from proxy.comparison.plan import NotReadOnlyError, PlannedQuestion, query_questions
from proxy.comparison.query_forms import Draw, draw_queries
from proxy.comparison.service_document import ListedSource, Schema
from proxy.comparison.trees import Members, Number

SCHEMA = Schema(
    "T",
    "Id",
    (
        ("Id", "Edm.String"),
        ("Name", "Edm.String"),
        ("Seats", "Edm.Int64"),
        ("Open", "Edm.Boolean"),
        ("Since", "Edm.DateTime"),
        ("Shape", "Edm.Geography"),
        ("Latitude", "Edm.Double"),
        ("Longitude", "Edm.Double"),
    ),
)
ENTITY = Members(
    (
        ("Id", "O'Neil"),
        ("Name", "Café"),
        ("Seats", Number("7")),
        ("Open", True),
        ("Since", "/Date(1288827096000)/"),
        ("Shape", "POINT (9 57)"),
        ("Latitude", Number("89.990000")),
        ("Longitude", Number("-179.990000")),
    )
)
SOURCE = ListedSource("N", "a", "T", "data/a/N/T")


def draw(*entities: Members, schema: Schema = SCHEMA) -> Draw:
    """Entities to make queries of."""
    return Draw(schema, entities, 500, Random(7))  # noqa: S311 - no secret: the same in each run


def test_each_form_makes_a_query_in_both_formats() -> None:
    found = draw_queries(draw(ENTITY), 300)
    texts = {(value, is_json) for query, is_json in found for _, value in query.parameters}
    for is_json in (True, False):
        assert ("Seats le 7", is_json) in texts or ("Seats gt 7", is_json) in texts
        assert ("entityId in ('O''Neil')", is_json) in texts
        assert any(value.startswith("nearby(89.990000,-179.990000,") for value, each in texts if each is is_json)
        assert any(value.startswith("intersects('POLYGON ((-180.00000 ") for value, each in texts if each is is_json)
    filters = {value for value, _ in texts}
    assert {"Open eq true", "Name eq 'Café'", "StartsWith(Name,'Ca')"} <= filters
    assert {"Since gt datetime'2010-11-03T23:31:36'", "Since le datetime'2010-11-03T23:31:36'"} & filters
    assert {"('O''Neil')"} == {query.suffix for query, _ in found} - {""}


def test_queries_are_the_same_each_time_and_no_more_than_wanted() -> None:
    assert draw_queries(draw(ENTITY), 20) == draw_queries(draw(ENTITY), 20)
    assert len(draw_queries(draw(ENTITY), 20)) == 20
    assert draw_queries(draw(), 20) == []


def test_entities_that_give_no_values_make_fewer_queries() -> None:
    odd = Members((("Id", "1"), ("Name", ""), ("Since", "/Date(999999999999999)/"), ("Odd", [])))
    schema = Schema("T", "Id", (("Name", "Edm.String"), ("Since", "Edm.DateTime"), ("Odd", "Edm.Int64")))
    titles = {query.title for query, _ in draw_queries(draw(odd, schema=schema), 50)}
    assert titles == {
        "one entity by its id",
        "several ids",
        "a page in the middle",
        "how many there are",
        "the last page",
        "selected properties",
        "the staged version",
    }


def test_titles_hold_no_values() -> None:
    titles = " ".join(query.title for query, _ in draw_queries(draw(ENTITY), 60))
    assert not [each for each in ("O'Neil", "Café", "89.99", "2010", "'Ca") if each in titles]


def test_id_that_no_path_can_have_is_not_asked() -> None:
    slash = Members((("Id", "a/b"),))
    questions = list(query_questions(SOURCE, draw(slash), 30))
    assert questions
    assert not [each for each in questions if "(" in each.path]


@pytest.mark.parametrize(
    "path", ["data/a/N/$commit", "Dataflows/DataSourceRollback/a/b", "Dataflows/DataSourceDownload/a/N", "data/../x/y"]
)
def test_path_that_may_change_something_is_no_question(path: str) -> None:
    with pytest.raises(NotReadOnlyError):
        PlannedQuestion(Question.QUERY, "N", "a title", path)
