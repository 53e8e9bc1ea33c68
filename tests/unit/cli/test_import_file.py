"""Files to import: every form says the same, and a mistake names its line and never a key."""

import json
from hashlib import sha256

import pytest

from adapters.model.key_imports import KEY_FIELDS
from adapters.model.key_records import KeyRecord
from adapters.model.ticks import parse_ticks
from proxy.cli.keys.import_file import read_import
from proxy.operations.keys.members import member_of
from proxy.settings import SettingsError

RING = json.dumps({"accounts": {"contoso": {"storage": {"connection_string_env": "X"}}}, "key_store": {}})
HEAD = "key,account,name,role,data_sources,expires\n"
DIGEST = sha256(b"AbCd").hexdigest()
RECORD = KeyRecord(DIGEST, "contoso", "query", "CRM", ("Co*", "Fo*"), parse_ticks("2030-01-01T00:00:00Z"), shadow=False)
MEMBER = {
    "account": "contoso",
    "role": "query",
    "name": "CRM",
    "data_sources": ["Co*", "Fo*"],
    "expires": "2030-01-01T00:00:00Z",
}


@pytest.mark.parametrize("written", ["AbCd", f"sha256:{DIGEST}"])
def test_csv_and_json_say_the_same(written: str) -> None:
    cells = 'contoso,CRM,query,"Co*, Fo*",2030-01-01T00:00:00Z'
    csv = read_import(f"{HEAD}{written},{cells}\n", RING)
    as_json = read_import(json.dumps({"keys": {written: MEMBER}}), RING)
    whole_ring = read_import(json.dumps({"accounts": {}, "keys": {written: MEMBER}}), RING)
    assert csv.records == as_json.records == whole_ring.records == [RECORD]
    assert (csv.fields, as_json.fields) == (KEY_FIELDS - {"shadow"}, KEY_FIELDS)


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59Z"),
        ("0001-01-01T00:00:00+12:00", "1601-01-01T00:00:00Z"),
        ("1600-12-31T23:59:59Z", "1601-01-01T00:00:00Z"),
    ],
)
def test_an_end_that_storage_does_not_have_is_the_nearest_one(written: str, stored: str) -> None:
    (record,) = read_import(f"key,account,expires\nAbCd,contoso,{written}\n", RING).records
    assert record.expires == parse_ticks(stored)
    assert member_of(record)["expires"] == stored


def test_columns_may_be_fewer_and_in_any_order() -> None:
    read = read_import(" Role , KEY,account\nquery,AbCd,contoso\n", RING)
    assert read.records == [KeyRecord(DIGEST, "contoso", "query")]
    assert read.fields == {"role", "account"}
    known = KeyRecord(DIGEST, "contoso", name="CRM", expires=RECORD.expires, created=RECORD.expires, shadow=True)
    (record,) = read.records
    merged = read.merge(record, known)
    assert (merged.role, merged.name, merged.expires, merged.created, merged.shadow) == (
        "query",
        "CRM",
        known.expires,
        known.created,
        True,
    )
    assert read.merge(record, None) == record


@pytest.mark.parametrize("text", [HEAD, HEAD + "\n\n", '{"keys": {}}', ' \n{"keys": {}}'])
def test_a_file_without_keys_is_no_mistake(text: str) -> None:
    assert read_import(text, RING).records == []


def test_a_mistake_in_a_file_of_many_lines_names_its_line() -> None:
    lines = [f"key-{number},contoso,,,,\n" for number in range(100)]
    lines[70] = "key-70,contoso,,emperor,,\n"
    with pytest.raises(SettingsError) as raised:
        read_import(HEAD + "".join(lines), RING)
    digest = sha256(b"key-70").hexdigest()[:12]
    assert str(raised.value).startswith(f"line 72, key sha256:{digest} role: ")
    lines[70] = "key-70,contoso,Twice,,,\n"
    lines[80] = "key-80,contoso,twice,,,\n"
    with pytest.raises(SettingsError, match=r"^line 82, key sha256:\w{12}: line 72, key sha256:\w{12} has the same"):
        read_import(HEAD + "".join(lines), RING)
