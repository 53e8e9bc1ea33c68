"""Answers are read as clients and shells save them; what is none is told."""

import codecs

import pytest

from adapters.model.ticks import parse_ticks
from proxy.wire.parser import ParseError, parse_response
from proxy.wire.resources import EntityCounts, Link, ResourceType
from tests.documented.documented import EXAMPLES, Example
from tests.documented.documented_jobs import JOB_LIST_XML

BING = 'xmlns="http://schemas.microsoft.com/search/local/ws/rest/v1"'
each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: str(example.file))


@each_example
@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", codecs.BOM_UTF8),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
    ],
)
def test_an_answer_is_read_as_any_shell_saves_it(example: Example, encoding: str, mark: bytes) -> None:
    text = example.content().decode()
    answer = parse_response(mark + f"{text}\r\n".encode(encoding))
    assert answer == parse_response(example.content())
    assert (answer.status_code, answer.trace_id, answer.copyright) == (200, example.trace_id, example.copyright)


@each_example
def test_a_parsed_example_equals_its_records(example: Example) -> None:
    jobs = parse_response(example.content()).resources or ()
    assert [job.id for job in jobs] == [record.public_id for record in example.records]
    assert [job.status for job in jobs] == [record.status.value for record in example.records]
    assert [job.counts and job.counts.total for job in jobs] == [
        record.total if job.counts else None for job, record in zip(jobs, example.records, strict=True)
    ]


def test_the_job_list_is_read_with_all_it_holds() -> None:
    (example,) = (example for example in EXAMPLES if example.file == "get-job-list.xml")
    delete, complete, geocode, _, access = parse_response(example.content()).resources or ()
    assert (delete.resource_type, delete.counts, delete.completed) == (ResourceType.DATA_SERVICE_JOB, None, None)
    assert complete.created == JOB_LIST_XML[1].created == parse_ticks("2013-01-03T15:21:58.2262338-08:00")
    assert complete.counts == EntityCounts(3, 3, 0)
    assert [(link.role, link.name) for link in geocode.links] == [("self", None), ("output", "succeeded")]
    assert access.links == (
        Link(
            "dataSource",
            "https://spatial.virtualearth.net/REST/v1/data/c589f4fb424048428d602ff6cd0a49eb/"
            "SetDataSourcePublicOrPrivate",
            "service",
        ),
    )


def test_the_wrong_namespaces_of_the_pages_do_no_harm() -> None:
    (example,) = (example for example in EXAMPLES if example.file == "get-download-data-source-job-status.xml")
    content = example.content().replace(b"http://www.w3.org", b"https://www.w3.org")
    assert parse_response(content) == parse_response(example.content())


@pytest.mark.parametrize("null", ['"errorDetails":null', '"errorDetails":[]', '"copyright":"c"'])
def test_an_error_has_no_resources(null: str) -> None:
    answer = parse_response(f'{{"resourceSets":[],{null}}}'.encode())
    assert (answer.resources, answer.error_details) == (None, ())


def test_a_pending_job_may_have_nulls() -> None:
    job = (
        '{"__type":"DataflowJob:x","id":"1","status":"Pending","createdDate":"Thu, 03 Jan 2013 23:22:15 GMT",'
        '"completedDate":null,"links":null,"totalEntityCount":null,"failedEntityCount":2}'
    )
    (read,) = parse_response(f'{{"resourceSets":[{{"resources":[{job}]}}]}}'.encode()).resources or ()
    assert (read.completed, read.links, read.counts) == (None, (), EntityCounts(0, 0, 2))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"\xff\xfe\x00",
        b"{}",
        b"[]",
        b"null",
        b"nope",
        b'{"resourceSets":5}',
        b'{"resourceSets":[5]}',
        b'{"resourceSets":[{"resources":[{}]}]}',
        b'{"resourceSets":[{"resources":[{"__type":"Other:x","id":"1"}]}]}',
        b'{"resourceSets":[],"statusCode":"many"}',
        b'{"resourceSets":[],"authenticationResultCode":"Other"}',
        b"[" * 100_000,
        b"<",
        b"<a",
        b"<?xml",
        b"<?xml version='1.0'?>",
        b"<html><body>Not found</body></html>",
        f"<Response {BING}><ResourceSets><ResourceSet/></ResourceSets></Response>".encode(),
        f"<Response {BING}><StatusCode>x</StatusCode><ResourceSets /></Response>".encode(),
    ],
    ids=lambda content: repr(content)[:40],
)
def test_no_response_is_a_parse_error(content: bytes) -> None:
    with pytest.raises(ParseError):
        parse_response(content)


def test_an_entity_reads_no_file(tmp_path: object) -> None:
    text = (
        f'<!DOCTYPE r [<!ENTITY e SYSTEM "file://{tmp_path}/x">]>'
        f"<Response {BING}><Copyright>&e;</Copyright><ResourceSets /></Response>"
    )
    with pytest.raises(ParseError, match="document type"):
        parse_response(text.encode())
