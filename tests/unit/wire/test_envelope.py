"""The envelope in both formats (wire-contract.md, section 2)."""

import re

import pytest

from proxy.wire.envelope import DEFAULT_BRAND_LOGO_URL, Authentication, Branding
from proxy.wire.json_renderer import render_json
from proxy.wire.resources import Link
from proxy.wire.xml_renderer import render_xml
from tests.support.given_jobs import (
    PACIFIC,
    REDIRECT,
    envelope,
    error,
    json_of,
    json_status,
    only,
    plain_job,
    record,
    xml_of,
)
from tests.support.member_order import JSON_ENVELOPE, XML_ENVELOPE, names_of

XSI = "{http://www.w3.org/2001/XMLSchema-instance}"


def test_error_details_are_absent_on_success() -> None:
    assert "errorDetails" not in json_of(envelope(plain_job()))
    assert xml_of(envelope(plain_job())).find("{*}ErrorDetails") is None


def test_an_error_has_every_member_in_order() -> None:
    assert list(json_of(error("one"))) == JSON_ENVELOPE
    assert names_of(xml_of(error("one"))) == XML_ENVELOPE


def test_each_error_detail_is_an_element_of_its_own() -> None:
    assert json_of(error("one", "two"))["errorDetails"] == ["one", "two"]
    assert [text.text for text in xml_of(error("one", "two")).findall("{*}ErrorDetails/{*}string")] == ["one", "two"]


def test_an_error_has_no_resource_set() -> None:
    assert json_of(error("one"))["resourceSets"] == []
    assert names_of(only(xml_of(error("one")), "{*}ResourceSets")) == []


def test_an_empty_list_is_one_resource_set() -> None:
    assert json_of(envelope())["resourceSets"] == [{"estimatedTotal": 0, "resources": []}]
    (resource_set,) = xml_of(envelope()).findall("{*}ResourceSets/{*}ResourceSet")
    assert only(resource_set, "{*}EstimatedTotal").text == "0"
    assert names_of(only(resource_set, "{*}Resources")) == []


def test_the_total_is_the_number_of_jobs() -> None:
    jobs = [plain_job()] * 3
    assert json_of(envelope(*jobs))["resourceSets"][0]["estimatedTotal"] == 3
    assert only(xml_of(envelope(*jobs)), "{*}ResourceSets/{*}ResourceSet/{*}EstimatedTotal").text == "3"


def test_every_slash_in_json_is_escaped() -> None:
    job = plain_job(id="a/b", name="c/d", description="e/f", error_message="g//h", links=(Link("x", "i/j", "k/l"),))
    content = render_json(envelope(job, copyright="m/n", error_details=("o/p",)))
    assert re.findall(rb"(?<!\\)/", content) == []
    assert content.count(rb"\/") == 19


def test_json_is_one_line_without_white_space_or_bom() -> None:
    content = render_json(envelope(plain_job(), copyright="©"))
    assert content.startswith(b'{"authenticationResultCode":"ValidCredentials","brandLogoUri":')
    assert content.endswith(b"}")
    assert not re.search(rb"\s", content.replace(b" GMT", b"").replace(b"Thu, 03 Jan 2013 ", b""))
    assert "©".encode() in content


def test_xml_begins_with_its_declaration_and_ends_with_its_root() -> None:
    content = render_xml(envelope(plain_job()), PACIFIC)
    assert content.startswith(b'<?xml version="1.0" encoding="utf-8"?>\n<Response xmlns:xsi="http://www.w3.org/2001/')
    assert content.endswith(b"\n</Response>")


def test_xml_declares_both_schema_namespaces_with_http() -> None:
    assert xml_of(envelope()).nsmap == {
        "xsi": "http://www.w3.org/2001/XMLSchema-instance",
        "xsd": "http://www.w3.org/2001/XMLSchema",
        None: "http://schemas.microsoft.com/search/local/ws/rest/v1",
    }


def test_white_space_follows_every_link() -> None:
    content = render_xml(envelope(plain_job(links=(Link("self", "u"), Link("output", "v", "succeeded")))), PACIFIC)
    assert content.count(b"</Link>") == content.count(b"</Link>\n") == 2


def test_every_element_of_xml_stands_on_an_indented_line() -> None:
    lines = render_xml(envelope(plain_job(name="a", links=(Link("self", "u"),))), PACIFIC).decode().split("\n")
    depth = 0
    for line in lines[1:]:
        depth -= line.lstrip().startswith("</")
        assert line.startswith("  " * depth + "<")
        depth += line.count("<") == 1 and not line.endswith("/>") and "</" not in line
    assert depth == 0


def test_a_missing_completion_is_absent_in_json_and_nil_in_xml() -> None:
    answer = envelope(plain_job(completed=None))
    assert b"completedDate" not in render_json(answer)
    assert b'<CompletedDate xsi:nil="true" />' in render_xml(answer, PACIFIC)
    completed = only(xml_of(answer), ".//{*}CompletedDate")
    assert completed.get(f"{XSI}nil") == "true"


def test_no_member_is_null() -> None:
    assert b"null" not in render_json(envelope(plain_job(completed=None)))
    assert b"null" not in render_json(error("one"))


def test_an_absent_link_list_is_no_empty_list() -> None:
    assert "links" not in json_of(envelope(plain_job()))["resourceSets"][0]["resources"][0]


def test_a_status_answer_has_one_job_in_one_set() -> None:
    assert json_status(record(), REDIRECT)["id"] == record().row_key


@pytest.mark.parametrize("code", Authentication)
def test_every_authentication_code_is_written_as_documented(code: Authentication) -> None:
    assert json_of(envelope(authentication=code))["authenticationResultCode"] == code.value
    assert only(xml_of(envelope(authentication=code)), "{*}AuthenticationResultCode").text == code.value


def test_the_default_notice_has_the_year_in_its_place() -> None:
    notice = Branding().format_copyright(2013)
    assert notice.startswith("Copyright © 2013 Microsoft and its suppliers. All rights reserved.")
    assert "{" not in notice
    assert Branding().brand_logo_uri == DEFAULT_BRAND_LOGO_URL


def test_a_custom_notice_may_have_braces() -> None:
    assert Branding("{x} {year} {").format_copyright(2030) == "{x} 2030 {"
