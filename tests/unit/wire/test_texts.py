"""Texts from anywhere come out whole, or with a mark for what can't be carried (wire-contract.md, section 3)."""

import pytest

from proxy.text import strip_invalid_xml
from proxy.wire.json_renderer import render_json
from proxy.wire.resources import Link
from proxy.wire.xml_renderer import render_xml
from tests.support.given_jobs import PACIFIC, envelope, error, json_of, only, plain_job, xml_of

UNWELCOME = ["\x00", "\x01", "\x08", "\x0b", "\x0c", "\x1f", "\ud800", "\udfff", "\ufffe", "\uffff"]
WELCOME = ["\t", "\n", "\r", "\x7f", "\x85", "\u2028", "\ufdd0", "\ufffd", "\U0001f600", "\U0010ffff"]


@pytest.mark.parametrize("character", UNWELCOME, ids=ascii)
def test_what_xml_cannot_carry_is_marked_in_both_formats(character: str) -> None:
    answer = error(f"a{character}b")
    assert json_of(answer)["errorDetails"] == ["a\ufffdb"]
    assert only(xml_of(answer), "{*}ErrorDetails/{*}string").text == "a\ufffdb"


@pytest.mark.parametrize("character", WELCOME, ids=ascii)
def test_what_xml_can_carry_comes_out_as_it_is(character: str) -> None:
    assert strip_invalid_xml(character) == character
    answer = error(f"a{character}b")
    assert json_of(answer)["errorDetails"] == [f"a{character}b"]
    assert only(xml_of(answer), "{*}ErrorDetails/{*}string").text == f"a{character}b"


def test_line_ends_tabs_and_quotes_survive_in_texts() -> None:
    text = "one\r\ntwo\rthree\nfour\tfive \"six\" 'seven' ]]> & <b>"
    answer = envelope(plain_job(description=text, name=text, error_message=text))
    job = json_of(answer)["resourceSets"][0]["resources"][0]
    assert job["description"] == job["name"] == job["errorMessage"] == text
    for name in ("Description", "Name", "ErrorMessage"):
        assert only(xml_of(answer), f".//{{*}}{name}").text == text


def test_line_ends_tabs_and_quotes_survive_in_attributes() -> None:
    text = "one\r\ntwo\tthree \"four\" 'five' & <b>"
    answer = envelope(plain_job(links=(Link(text, "u", text),)))
    link = only(xml_of(answer), ".//{*}Link")
    assert (link.get("role"), link.get("name")) == (text, text)


def test_markup_is_escaped_as_the_dotnet_writer_does() -> None:
    content = render_xml(envelope(plain_job(name='<&>"\r', links=(Link('<&>"\r\n\t', "a&b"),))), PACIFIC)
    assert b'<Name>&lt;&amp;&gt;"&#xD;</Name>' in content
    assert b'<Link role="&lt;&amp;&gt;&quot;&#xD;&#xA;&#x9;">a&amp;b</Link>' in content


def test_letters_are_written_as_they_are_in_json() -> None:
    assert 'é"'.encode() in render_json(error("é"))
    assert b'"\\"\\\\\\n"' in render_json(error('"\\\n'))


def test_every_text_of_the_envelope_is_cleaned() -> None:
    answer = envelope(
        plain_job(id="\x00", name="\x00", description="\x00", error_message="\x00", links=(Link("a", "\x00", "b"),)),
        copyright="\x00",
        brand_logo_uri="\x00",
        error_details=("\x00",),
    )
    assert render_json(answer).decode().count("\ufffd") == 8
    assert render_xml(answer, PACIFIC).decode().count("\ufffd") == 8
    assert b"\\u0000" not in render_json(answer)
