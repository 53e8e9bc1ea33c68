"""Reports show no key, however the endpoint escapes it."""

import json

import pytest

from proxy.comparison.redaction import Redactor
from tests.support.processor_time import takes_at_most

KEY = 'AbCd-secret/Key+1&é "\\🎉'

FORMS = {
    "as it is": KEY,
    "percent-encoded": "AbCd-secret%2FKey%2B1%26%C3%A9%20%22%5C%F0%9F%8E%89",
    "as a form": "AbCd-secret%2fKey%2b1%26%c3%a9+%22%5c%f0%9f%8e%89",
    "percent-encoded as a whole": "".join(f"%{byte:02X}" for byte in KEY.encode()),
    "percent-encoded twice": "AbCd%252Dsecret%252FKey%252B1%2526%25C3%25A9%2520%2522%255C%25F0%259F%258E%2589",
    "in JSON": json.dumps(KEY)[1:-1],
    "in JSON with slashes escaped": json.dumps(KEY, ensure_ascii=False)[1:-1].replace("/", "\\/"),
    "in JSON, and that in JSON": json.dumps(json.dumps(KEY)[1:-1])[1:-1],
    "in JSON by numbers": "".join(f"\\u{ord(char):04x}" for char in KEY[:-1]) + "\\ud83c\\udf89",
    "in XML": "AbCd-secret/Key+1&amp;é &quot;\\🎉",
    "in HTML by numbers": "".join(f"&#{ord(char)};" for char in KEY),
    "in HTML by hexadecimal numbers": "".join(f"&#x{ord(char):X};" for char in KEY),
}


@pytest.mark.parametrize("form", FORMS)
def test_key_in_any_escaping_is_redacted_byte_for_byte(form: str) -> None:
    escaped = FORMS[form]
    body = f"before {escaped} after".encode()
    assert Redactor([KEY]).body(body) == b"before " + b"*" * len(escaped.encode()) + b" after"


def test_several_keys_in_any_letter_case_are_redacted() -> None:
    assert Redactor(["abc", "abcdef", "ÄB"]).text("ABCDEF Abc äb ÄB") == "****** *** äb ***"
    assert Redactor([]).text("abc") == "abc"


@pytest.mark.parametrize("run", [b"\\", b"\\u", b"%", b"%25", b"&#0", b"0"])
def test_runs_of_escapes_take_time_in_proportion(run: bytes) -> None:
    redactor = Redactor([KEY])
    # A search that starts again at each escape takes a hundred times as long.
    assert takes_at_most(lambda: redactor.body(run * 50_000), 40, lambda: redactor.body(run * 5_000))
