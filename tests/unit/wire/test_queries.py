"""What a query says (wire-contract.md, section 1)."""

import pytest

from proxy.wire.errors import ApiError, ErrorCode
from proxy.wire.request import Format, QueryParameters, parse_query


@pytest.mark.parametrize("name", ["key", "KEY", "Key", "k%65y"])
def test_the_key_may_be_named_in_any_letter_case(name: str) -> None:
    assert parse_query(f"{name}=AbC".encode()).key == b"AbC"


@pytest.mark.parametrize("name", ["output", "OUTPUT", "o", "O", "%6f"])
@pytest.mark.parametrize("value", ["xml", "XML", "Xml", "%78ml"])
def test_the_format_has_two_names_in_any_letter_case(name: str, value: str) -> None:
    query = parse_query(f"{name}={value}".encode())
    query.check()
    assert query.format is Format.XML


@pytest.mark.parametrize("text", ["", "output", "output=", "o=&output=xml", "o=json", "output=JSON", "out=xml"])
def test_json_is_the_default(text: str) -> None:
    query = parse_query(text.encode())
    query.check()
    assert query.format is Format.JSON


@pytest.mark.parametrize("value", ["html", "xml ", "%20", "xml,json", "jsonp", "%ff", "xml%00"])
def test_another_format_is_refused_in_json(value: str) -> None:
    query = parse_query(f"o={value}&output=xml".encode())
    assert query.format is Format.JSON
    with pytest.raises(ApiError) as caught:
        query.check()
    assert caught.value.code is ErrorCode.BAD_OUTPUT


def test_the_first_of_several_counts() -> None:
    assert parse_query(b"o=xml&output=json&key=a&KEY=b") == QueryParameters(b"a", "xml")
    assert parse_query(b"key=&key=b") == QueryParameters(None, "")


@pytest.mark.parametrize("text", ["", "key", "key=", "=x", "&&", "keys=a", "key%3Da"])
def test_without_a_value_there_is_no_key(text: str) -> None:
    assert parse_query(text.encode()).key is None


@pytest.mark.parametrize(
    ("written", "key"),
    [
        (b"a%2Bb", b"a+b"),
        (b"a+b", b"a b"),
        (b"a=b", b"a=b"),
        (b"%ff%00", b"\xff\x00"),
        (b"\xc3\xa9", b"\xc3\xa9"),
        (b"%C3%A9", b"\xc3\xa9"),
        (b"%zz", b"%zz"),
    ],
)
def test_a_key_is_its_bytes(written: bytes, key: bytes) -> None:
    assert parse_query(b"key=" + written).key == key


def test_unknown_parameters_are_ignored() -> None:
    assert parse_query(b"clientApi=bmnet&key=a&callback=f&\xff=\xff") == QueryParameters(b"a", "")


def test_parameters_have_lower_case_names() -> None:
    query = parse_query(b"dataSourceName=a+b&DATASOURCENAME=c&$Format=JSON&%24format=atom&setPublic=&jobId=%41&other=1")
    assert query.parameters == {"datasourcename": "a b", "$format": "JSON", "setpublic": "", "jobid": "A"}


def test_the_query_key_is_its_bytes() -> None:
    assert parse_query(b"queryKey=A%ff&QUERYKEY=b").query_key == b"A\xff"
    assert parse_query(b"queryKey=&querykey=b").query_key is None
