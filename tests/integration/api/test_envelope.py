"""Wire contract, section 2: what is the same in every answer of a running server."""

import json
import re
from datetime import UTC, datetime

import httpx
import pytest
from lxml import etree

from tests.conftest import StartServer
from tests.support.job_samples import JOB_TYPES, path_of, rich_job
from tests.support.live import LiveServer
from tests.support.storage import Storage

MEMBERS = [
    "authenticationResultCode",
    "brandLogoUri",
    "copyright",
    "errorDetails",
    "resourceSets",
    "statusCode",
    "statusDescription",
    "traceId",
]
ELEMENTS = [
    "Copyright",
    "BrandLogoUri",
    "StatusCode",
    "StatusDescription",
    "AuthenticationResultCode",
    "ErrorDetails",
    "TraceId",
    "ResourceSets",
]
JOB_MEMBERS = [
    "__type",
    "id",
    "links",
    "name",
    "completedDate",
    "createdDate",
    "description",
    "errorMessage",
    "failedEntityCount",
    "processedEntityCount",
    "status",
    "totalEntityCount",
]
JOB_ELEMENTS = [
    "Name",
    "Id",
    "Link",
    "Description",
    "Status",
    "CreatedDate",
    "CompletedDate",
    "TotalEntityCount",
    "ProcessedEntityCount",
    "FailedEntityCount",
    "ErrorMessage",
]
BING = "http://schemas.microsoft.com/search/local/ws/rest/v1"


def is_in_order(names: list[str], order: list[str]) -> bool:
    """Whether names stand in an order in which some may be missing."""
    return [order.index(name) for name in names] == sorted(order.index(name) for name in names)


@pytest.fixture(scope="module", params=[*JOB_TYPES, "ListJobs", "error", "aborted"])
def path(request: pytest.FixtureRequest, account: Storage) -> str:
    """A path whose answer shows something of each kind."""
    if request.param in JOB_TYPES:
        return path_of(request.param, rich_job(account, request.param, Description="My own"))
    if request.param == "aborted":
        return path_of("Geocode", rich_job(account, "Geocode", status="Aborted"))
    return f"Dataflows/{request.param}"


def test_json_has_its_members_in_order_and_none_that_is_null(path: str, proxy: LiveServer) -> None:
    content = proxy.get(path).content
    assert b"null" not in content
    assert b"/" not in content.replace(b"\\/", b"")
    envelope = json.loads(content)
    assert is_in_order(list(envelope), MEMBERS)
    assert len(envelope) >= 7
    for resource_set in envelope["resourceSets"]:
        assert list(resource_set) == ["estimatedTotal", "resources"]
        for job in resource_set["resources"]:
            assert is_in_order(list(job), JOB_MEMBERS)
            assert "createdDate" in job
            assert content.count(b'{"__type":"Data') == len(resource_set["resources"])


def test_xml_has_its_elements_in_order_unprefixed_and_indented(path: str, proxy: LiveServer) -> None:
    content = proxy.get(path, o="xml").content
    assert content.startswith(b'<?xml version="1.0" encoding="utf-8"?>')
    answer = etree.fromstring(content)
    assert (answer.tag, answer.nsmap) == (
        f"{{{BING}}}Response",
        {
            None: BING,
            "xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsd": "http://www.w3.org/2001/XMLSchema",
        },
    )
    assert all(element.prefix is None for element in answer.iter(f"{{{BING}}}*"))
    assert is_in_order([etree.QName(child).localname for child in answer], ELEMENTS)
    for job in answer.iterfind(".//{*}Resources/*"):
        assert is_in_order([etree.QName(child).localname for child in job], JOB_ELEMENTS)
    # White space stands before every element but the first.
    assert re.search(rb">[^\s<]*<[A-Za-z]", content.partition(b"?>")[2].replace(b">\n", b"> \n")) is None


def test_success_has_no_error_details_and_a_list_has_one_resource_set(proxy: LiveServer) -> None:
    envelope = proxy.json("Dataflows/ListJobs")
    assert "errorDetails" not in envelope
    assert proxy.xml("Dataflows/ListJobs").find("{*}ErrorDetails") is None
    assert (envelope["statusCode"], envelope["statusDescription"]) == (200, "OK")
    assert envelope["authenticationResultCode"] == "ValidCredentials"
    assert len(envelope["resourceSets"]) == 1


def test_a_trace_id_is_new_for_every_answer_and_in_the_log(proxy: LiveServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    found = []
    for asked in ("Dataflows/ListJobs", "Dataflows/ListJobs", "Dataflows/Geocode/none", "nowhere"):
        trace_id = proxy.json(asked)["traceId"]
        assert re.fullmatch("[0-9a-f]{32}", trace_id)
        assert trace_id in {record.__dict__.get("trace_id") for record in caplog.records}
        found.append(trace_id)
    assert len(set(found)) == len(found)


def test_the_texts_of_the_envelope_are_settings(account: Storage, proxy: LiveServer, start: StartServer) -> None:
    usual = proxy.json("Dataflows/ListJobs")
    assert usual["copyright"].startswith(f"Copyright © {datetime.now(UTC).year} Microsoft and its suppliers.")
    assert usual["brandLogoUri"] == "http://spatial.virtualearth.net/Branding/logo_powered_by.png"
    server = start(account, copyright="© Contoso <&> {year}", brand_logo_url="https://contoso.example/a?b&c")
    envelope = server.json("Dataflows/ListJobs")
    assert envelope["copyright"] == f"© Contoso <&> {datetime.now(UTC).year}"
    assert envelope["brandLogoUri"] == "https://contoso.example/a?b&c"
    assert server.xml("Dataflows/ListJobs").findtext("{*}BrandLogoUri") == "https://contoso.example/a?b&c"


def test_nothing_is_compressed_unless_the_request_asks_for_it(path: str, proxy: LiveServer) -> None:
    with httpx.Client() as client:
        del client.headers["accept-encoding"]
        response = client.get(f"{proxy.url}/REST/v1/{path}?key=master-key")
        assert "content-encoding" not in response.headers
        assert response.content.startswith(b'{"authenticationResultCode"')
