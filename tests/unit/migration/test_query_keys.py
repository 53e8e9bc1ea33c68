"""The file of query keys: read whole or refused by its line, and never shown."""

import pytest

from proxy.migration.query_keys import digest_of, read_query_keys


def test_names_match_in_any_letter_case_and_keys_become_digests() -> None:
    found = read_query_keys(["Data_Source,Key", "Shops, AbC", "", "Bars,d=e"])
    assert found == {"shops": digest_of("AbC"), "bars": digest_of("d=e")}


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "line 1 must be data_source,key"),
        (["Shops,secret"], "line 1 must be data_source,key"),
        (["data_source,key", "Shops"], "line 2 must be"),
        (["data_source,key", "Shops,"], "line 2 must be"),
        (["data_source,key", "Shops,secret,1"], "line 2 must be"),
        (["data_source,key", "a b,secret"], "line 2 must be"),
        (["data_source,key", "Shops,secret", "SHOPS,secret"], "line 3 names the data source SHOPS a second time"),
    ],
)
def test_a_wrong_line_is_named_without_its_key(lines: list[str], words: str) -> None:
    with pytest.raises(ValueError, match=words) as raised:
        read_query_keys(lines)
    assert "secret" not in str(raised.value)
