"""What is the same, what differs, and what can't be compared."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.comparison.answer import Answer
from proxy.comparison.difference import MAX_DIFFERENCES, Outcome, Question, Verdict, compare_answers

EXAMPLES = Path(__file__).parents[2] / "documented/examples"
JSON_TYPE = (("Content-Type", "application/json; charset=utf-8"),)
ATOM = (
    '<?xml version="1.0" encoding="utf-8"?><feed xmlns:d="http://schemas.microsoft.com/ado/2007/08/dataservices"'
    ' xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata" xmlns="http://www.w3.org/2005/Atom">'
    '<title type="text"></title><id>uuid:{id}</id><rights type="text">© {year} Owner</rights>'
    "<updated>{year}-01-02T03:04:05Z</updated><m:count>2</m:count><entry><id>{host}/REST/v1/data/a/N/T('1')</id>"
    '<title type="text"></title><updated>{year}-01-02T03:04:05Z</updated><content type="application/xml">'
    '<m:properties><d:Name>Ä</d:Name><d:Latitude m:type="Edm.Double">{latitude}</d:Latitude>'
    '<d:Open m:type="Edm.Boolean">1</d:Open></m:properties></content></entry></feed>'
)


def atom(**values: str) -> bytes:
    """A feed of one entity, as one side writes it."""
    return ATOM.format_map(
        {"id": "1", "year": "2026", "host": "https://a.example", "latitude": "1.500000"} | values
    ).encode()


def entities(*found: Mapping[str, object]) -> bytes:
    """A list of entities, each with a URL by its id."""
    results = [
        {"__metadata": {"uri": f"https://a.example/REST/v1/data/a/N/T('{each['Id']}')"}, **each} for each in found
    ]
    return json.dumps({"d": {"__copyright": "© 2026", "results": results}}).encode()


def compare(left: bytes, right: bytes, kind: Question = Question.QUERY, *, with_values: bool = False) -> Verdict:
    """Compares two successful bodies."""
    return compare_answers(kind, Answer(200, "OK", (), left), Answer(200, "OK", (), right), with_values=with_values)


def paths(verdict: Verdict) -> list[str]:
    """The members that differ."""
    return [each.path for each in verdict.differences]


@pytest.mark.parametrize("name", sorted(each.name for each in EXAMPLES.iterdir()))
def test_documented_example_is_the_same_with_another_host_year_and_trace(name: str) -> None:
    body = (EXAMPLES / name).read_bytes()
    other = body.replace(b"spatial.virtualearth.net", b"127.0.0.1:8080")
    for year in range(2010, 2024):
        other = other.replace(f"© {year}".encode(), "© 2026".encode())
    other = re.sub(rb'(traceId": *"|<TraceId>)[^"<]*', rb"\g<1>0123", other)
    assert other != body
    assert compare(body, other, Question.JOBS).outcome is Outcome.SAME


def test_feed_is_the_same_with_another_id_date_host_and_spelling_of_a_number() -> None:
    other = atom(id="2", year="2025", host="http://127.0.0.1:8080", latitude="1.5")
    assert compare(atom(), other).outcome is Outcome.SAME


def test_feed_differs_where_an_entity_is_elsewhere() -> None:
    verdict = compare(atom(), atom(latitude="1.500009"), with_values=True)
    (found,) = verdict.differences
    assert (found.path, found.left, found.right) == (
        "feed.entry[0].content.m:properties.d:Latitude.#text",
        "1.500000",
        "1.500009",
    )


@pytest.mark.parametrize(
    ("left", "right", "path"),
    [
        ({"Id": "1", "A": 1}, {"Id": "1", "A": True}, "d.results[0].A"),
        ({"Id": "1", "A": 1}, {"Id": "1", "A": "1"}, "d.results[0].A"),
        ({"Id": "1", "A": None}, {"Id": "1", "A": ""}, "d.results[0].A"),
        ({"Id": "1", "A": 0}, {"Id": "1", "A": False}, "d.results[0].A"),
        ({"Id": "1", "A": 2**63}, {"Id": "1", "A": 2**63 + 1}, "d.results[0].A"),
        ({"Id": "1", "A": 1}, {"Id": "1"}, "d.results[0].A"),
        ({"Id": "1", "A": 1, "B": 2}, {"Id": "1", "B": 2, "A": 1}, "d.results[0].(order of members)"),
        ({"Id": "1", "A": "POINT (1 2)"}, {"Id": "1", "A": "POINT (1 2.1)"}, "d.results[0].A"),
        ({"Id": "1", "A": "POINT (1 2)"}, {"Id": "1", "A": "POINT (1 2 3)"}, "d.results[0].A"),
        ({"Id": "1", "__Distance": 1.5}, {"Id": "1", "__Distance": "far"}, "d.results[0].__Distance"),
        ({"Id": "1", "copyright": "2020"}, {"Id": "1", "copyright": "2021"}, "d.results[0].copyright"),
        ({"Id": "1", "traceId": "a"}, {"Id": "1", "traceId": "b"}, "d.results[0].traceId"),
    ],
)
def test_entity_differs_in_a_member(left: dict[str, object], right: dict[str, object], path: str) -> None:
    assert paths(compare(entities(left), entities(right))) == [path]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"Id": "1", "A": 1.50}, {"Id": "1", "A": 1.5}),
        ({"Id": "1", "A": 100000.0}, {"Id": "1", "A": 100000}),
        ({"Id": "1", "A": "POINT (1.50 2)"}, {"Id": "1", "A": "POINT (1.5 2.0)"}),
        ({"Id": "1", "__Distance": 0.772438702602492}, {"Id": "1", "__Distance": 0.772438702602491}),
    ],
)
def test_entity_is_the_same_with_other_spellings(left: dict[str, object], right: dict[str, object]) -> None:
    assert compare(entities(left), entities(right)).outcome is Outcome.SAME


def test_page_that_is_equal_in_bytes_hides_no_difference_of_its_urls() -> None:
    body = entities({"Id": "1", "A": '"__metadata":{"uri":"https://a.example/x'})
    assert compare(body, body.replace(b"//a.example/REST", b"//b.example:80/REST")).outcome is Outcome.SAME
    assert paths(compare(body, body.replace(b"//a.example/x", b"//b.example/x"))) == ["d.results[0].A"]
    assert paths(compare(atom(), atom(host="https://a.example/other"))) == []
    assert paths(compare(atom(), atom().replace(b"T('1')", b"T('2')"))) == ["feed.entry[0]", "feed.entry[0]"]


def test_page_differs_in_its_order_and_in_an_entity_that_is_there_twice() -> None:
    one, two = {"Id": "1"}, {"Id": "2"}
    assert paths(compare(entities(one, two), entities(two, one))) == ["d.results(order)"]
    assert paths(compare(entities(one, two), entities(one, one, two))) == ["d.results[1]"]
    assert paths(compare(entities(one, two), entities(one))) == ["d.results[1]"]


def test_entities_at_one_distance_may_change_places() -> None:
    near, one, two = {"Id": "0", "__Distance": 1}, {"Id": "1", "__Distance": 2}, {"Id": "2", "__Distance": 2}
    assert compare(entities(near, one, two), entities(near, two, one)).outcome is Outcome.SAME
    assert paths(compare(entities(near, one), entities(one, near))) == ["d.results(order)"]


def job(**members: object) -> bytes:
    """A job list of one job."""
    return json.dumps({"traceId": "1", "resourceSets": [{"estimatedTotal": 1, "resources": [members]}]}).encode()


def test_counts_of_a_pending_job_are_not_compared() -> None:
    left, right = ({"id": "1", "status": "Pending", "processedEntityCount": count} for count in (1, 2))
    assert compare(job(**left), job(**right), Question.JOBS).outcome is Outcome.SAME
    assert paths(compare(job(**left | {"status": "Completed"}), job(**right | {"status": "Completed"}))) == [
        "resourceSets[0].resources[0].processedEntityCount"
    ]


def xml_date(text: str) -> bytes:
    """A job in XML, created then."""
    return (
        '<Response xmlns="http://schemas.microsoft.com/search/local/ws/rest/v1"><ResourceSets><ResourceSet><Resources>'
        f"<DataflowJob><Id>1</Id><CreatedDate>{text}</CreatedDate></DataflowJob></Resources></ResourceSet>"
        "</ResourceSets></Response>"
    ).encode()


def test_date_is_the_same_at_another_offset_and_differs_at_another_moment() -> None:
    here = xml_date("2013-01-03T15:22:15.79-08:00")
    assert compare(here, xml_date("2013-01-03T23:22:15.790+00:00"), Question.JOBS).outcome is Outcome.SAME
    for other in ("2013-01-03T15:22:15.79-07:00", "2013-01-03T15:22:15.79", "2013-01-03T15:22:15.8-08:00"):
        assert paths(compare(here, xml_date(other), Question.JOBS)) == [
            "Response.ResourceSets[0].Resources[0].CreatedDate"
        ]


def test_jsonp_is_compared_as_its_json() -> None:
    body = entities({"Id": "1", "A": 1})
    assert compare(b"call(" + body + b")", b"call(" + body.replace(b"a.ex", b"b.ex") + b")").outcome is Outcome.SAME
    assert paths(compare(b"call(" + body + b")", b"other(" + body + b")")) == ["(callback)"]


def test_headers_and_status_are_compared() -> None:
    left = Answer(200, "OK", JSON_TYPE, b"{}")
    assert paths(compare_answers(Question.JOBS, left, Answer(404, "", JSON_TYPE, b"{}"))) == ["status"]
    for headers in ((("Content-Type", "text/json"),), (("Content-Type", "application/json; charset=latin-1"),)):
        assert paths(compare_answers(Question.JOBS, left, Answer(200, "", headers, b"{}"))) == ["(content-type)"]
    plain = Answer(200, "", (("content-type", "Application/JSON"),), b"{}")
    assert compare_answers(Question.JOBS, left, plain).outcome is Outcome.SAME


def test_texts_of_an_error_are_each_sides_own() -> None:
    sides = [Answer(404, "", (), json.dumps({"errorDetails": [each]}).encode()) for each in ("No.", "Nothing here.")]
    assert compare_answers(Question.JOBS, *sides).outcome is Outcome.SAME
    assert compare_answers(Question.QUERY, sides[0], Answer(404, "", (), b"gone")).outcome is Outcome.SAME
    empty = Answer(404, "", (), b'{"errorDetails":[]}')
    assert paths(compare_answers(Question.JOBS, sides[0], empty)) == ["errorDetails"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(503), "the right side answers HTTP 503, not available"),
        (Answer(429), "the right side answers HTTP 429, too many requests"),
        (Answer(404, "", (), b"<html>"), "the right side answers HTTP 404, an HTML page, not this API"),
        (Answer(200, "", (), b'{"a":' + b"[" * 900 + b"]" * 900 + b"}"), "nested too deeply"),
    ],
)
def test_answer_that_says_nothing_is_not_comparable(answer: Answer, reason: str) -> None:
    verdict = compare_answers(Question.QUERY, Answer(200, "", (), b'{"a":' + b"[" * 899 + b"]" * 899 + b"}"), answer)
    assert (verdict.outcome, verdict.reason) == (Outcome.NOT_COMPARABLE, reason)


def test_bodies_that_neither_side_can_read_are_not_comparable() -> None:
    verdict = compare(b"neither", b"," * 700_000)
    assert (verdict.outcome, verdict.reason) == (Outcome.NOT_COMPARABLE, "the body is neither JSON nor XML")
    assert [each.problem for each in compare(b"{}", b"," * 700_000).differences] == [
        "on the right: the body has too many parts"
    ]


def test_element_of_many_attributes_is_not_read() -> None:
    body = b"<a " + b" ".join(b"x%d='1'" % each for each in range(101)) + b"/>"
    assert compare(body, body + b" ").reason == "the body has too many parts"


def test_differences_are_bounded_and_have_no_values_unless_wanted() -> None:
    left = entities(*({"Id": str(each), "Secret": "left"} for each in range(99)))
    right = entities(*({"Id": str(each), "Secret": "right"} for each in range(99)))
    verdict = compare(left, right)
    assert (verdict.count, len(verdict.differences)) == (99, MAX_DIFFERENCES)
    assert "right" not in repr([(each.path, each.problem, each.left, each.right) for each in verdict.differences])


def test_files_are_compared_byte_by_byte() -> None:
    assert compare(b"a|b", b"a|b", Question.FILE).outcome is Outcome.SAME
    assert paths(compare(b"a|b", b"a|c", Question.FILE)) == ["(body)"]


HOSTILE = st.one_of(
    st.binary(max_size=200),
    st.sampled_from([entities({"Id": "1"}), atom(), xml_date("x"), b"<a/>", b"[]", b"{}", b"1", b'"a"', b"a({})"]),
    st.builds(lambda text: b'{"d":{"results":[' + text.encode("utf-8", "replace") + b"]}}", st.text(max_size=60)),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=9)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=4),
            st.dictionaries(
                st.sampled_from(
                    ["d", "results", "__metadata", "uri", "resourceSets", "resources", "id", "createdDate"]
                ),
                inner,
            ),
        ),
        max_leaves=20,
    ).map(lambda value: json.dumps(value).encode()),
)


@given(left=HOSTILE, right=HOSTILE, status=st.sampled_from([200, 400, 404]), kind=st.sampled_from(Question))
def test_no_body_raises(left: bytes, right: bytes, status: int, kind: Question) -> None:
    sides = [Answer(status, "", (), body) for body in (left, right)]
    verdict = compare_answers(kind, *sides, with_values=True)
    assert (verdict.outcome is Outcome.DIFFERENT) == bool(verdict.count)
    assert compare_answers(kind, sides[0], sides[0]).outcome is not Outcome.DIFFERENT
