"""A list of as many jobs as an account may have is judged; one of an absurd number costs neither memory nor time."""

import json

import pytest

from proxy.__main__ import main
from proxy.conformance.asker import Limits
from proxy.conformance.asks import FIRST, LISTS
from proxy.conformance.exchanges import Exchange
from proxy.conformance.reading import read
from tests.conformance.endpoints import Said, answering


@pytest.mark.parametrize(
    "resources",
    [b"{}," * 40_000 + b"{}", b"1," * 700_000 + b"1"],
    ids=["more jobs than an account has", "more parts than such a list has"],
)
def test_an_absurd_number_of_parts_is_no_envelope(resources: bytes) -> None:
    body = b'{"resourceSets":[{"resources":[' + resources + b"]}]}"
    assert read(Exchange(ask=FIRST, status=200, body=body)) is None


def test_a_list_of_ten_thousand_jobs_is_read_as_a_whole() -> None:
    link = '{"name":"succeeded","role":"output","url":"https:\\/\\/a\\/b?' + "s" * 400 + '"}'
    job = '{"id":"%032d","links":[%s,%s],"createdDate":"Thu, 03 Jan 2013 23:22:15 GMT","description":"Geocode"'
    job += ',"failedEntityCount":0,"processedEntityCount":3,"status":"Completed","totalEntityCount":3}'
    jobs = ",".join(job % (number, link, link) for number in range(10_000))
    body = f'{{"resourceSets":[{{"estimatedTotal":10000,"resources":[{jobs}]}}]}}'.encode()
    assert len(body) < Limits().size
    assert len(LISTS) * len(body) < Limits().all_size
    found = read(Exchange(ask=FIRST, status=200, body=body))
    assert found is not None
    assert len(found.jobs) == 10_000


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_long_id_makes_no_long_report(form: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    job = {"id": "z" * 20_000, "description": "Geocode", "status": "Completed"}
    body = json.dumps({"resourceSets": [{"estimatedTotal": 1, "resources": [job]}]}).encode()
    with answering(lambda _: Said(body)) as (url, _):
        assert main(["conformance", "--base-url", url, "--key", "some-key", *form]) == 1
    assert max(map(len, capsys.readouterr().out.splitlines())) < 600
