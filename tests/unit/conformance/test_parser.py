"""Bodies that are no envelope, and the largest that is one."""

import pytest

from proxy.conformance.exchange import Exchange
from proxy.conformance.parser import parse
from proxy.conformance.request_plan import FIRST, LISTS
from proxy.conformance.target import ClientLimits


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Welcome</body></html>",
        b'{"a":' + b"[" * 200_000,
        b"<a>" * 200_000,
        b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Response>&b;</Response>',
        b'{"resourceSets":[{"resources":[' + b"{}," * 40_000 + b"{}]}]}",
        b'{"resourceSets":[{"resources":[' + b"1," * 700_000 + b"1]}]}",
        b"null",
        b"[]",
        b'{"traceId":"\xff\xfe"}',
        b'{"statusCode":' + b"9" * 5000 + b"}",
        b'{"statusCode":NaN}',
        b'{"statusCode":1,"statusCode":2}',
    ],
    ids=lambda body: repr(body[:40]),
)
def test_body_that_is_no_envelope_is_none(body: bytes) -> None:
    assert parse(Exchange(FIRST, 200, body=body)) is None


def test_xml_list_with_too_many_jobs_is_none() -> None:
    space = "http://schemas.microsoft.com/search/local/ws/rest/v1"
    jobs = b"<Job />" * 25_001
    body = b"<ResourceSets><ResourceSet><Resources>" + jobs + b"</Resources></ResourceSet></ResourceSets>"
    assert parse(Exchange(FIRST, 200, body=f'<Response xmlns="{space}">'.encode() + body + b"</Response>")) is None


def test_list_of_ten_thousand_jobs_is_within_the_limits() -> None:
    link = '{"name":"succeeded","role":"output","url":"https:\\/\\/a\\/b?' + "s" * 400 + '"}'
    job = '{"id":"%032d","links":[%s,%s],"createdDate":"Thu, 03 Jan 2013 23:22:15 GMT","description":"Geocode"'
    job += ',"failedEntityCount":0,"processedEntityCount":3,"status":"Completed","totalEntityCount":3}'
    jobs = ",".join(job % (number, link, link) for number in range(10_000))
    body = f'{{"resourceSets":[{{"estimatedTotal":10000,"resources":[{jobs}]}}]}}'.encode()
    assert len(body) < ClientLimits().max_bytes
    assert len(LISTS) * len(body) < ClientLimits().total_bytes
    envelope = parse(Exchange(FIRST, 200, body=body))
    assert envelope is not None
    assert len(envelope.jobs) == 10_000
