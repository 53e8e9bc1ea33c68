"""Rows of the key store as Table Storage's JSON has them."""

import json
from typing import Any

import pytest

from adapters.model.key_records import MAX_NAME_LENGTH, MAX_PATTERN_LENGTH, MAX_PATTERNS, ChangeLog, KeyRecord
from adapters.model.ticks import Ticks
from adapters.tables.key_rows import read_changes, read_key
from adapters.tables.properties import MalformedRowError

DIGEST = "ab" * 32
ROW = {"RowKey": DIGEST, "Account": "contoso"}
CHANGES = {"Epoch": "e", "Sequence": "2", "Sequence@odata.type": "Edm.Int64", "Recent": '[[2,"+"]]'}


def test_row_without_optional_properties_is_a_master_key() -> None:
    assert read_key(ROW) == KeyRecord(DIGEST, "contoso", "master")


@pytest.mark.parametrize(
    "properties",
    [
        {"RowKey": DIGEST.upper()},
        {"RowKey": DIGEST[:-1]},
        {"RowKey": 7},
        {"Account": None},
        {"Account": 7},
        {"Role": "Master"},
        {"Role": None},
        {"Name": "n" * (MAX_NAME_LENGTH + 1)},
        {"Name": "two\nlines"},
        {"DataSources": 7},
        {"DataSources": "[" * 100_000},
        {"DataSources": '[""]'},
        {"DataSources": json.dumps(["p" * (MAX_PATTERN_LENGTH + 1)])},
        {"DataSources": json.dumps(["p"] * (MAX_PATTERNS + 1))},
        {"ExpiresAt": "2026-01-02T03:04:05Z"},
        {"Shadow": 1},
    ],
    ids=lambda properties: str(properties)[:40],
)
def test_row_that_cannot_be_read_is_refused_without_its_values(properties: dict[str, Any]) -> None:
    with pytest.raises(MalformedRowError) as raised:
        read_key(ROW | properties)
    assert "two" not in str(raised.value)
    assert DIGEST.upper() not in str(raised.value)


@pytest.mark.parametrize("value", ["2026-01-02T03:04:05Z", "", 0, False, "soon"])
def test_revocation_counts_whatever_it_says(value: object) -> None:
    assert read_key(ROW | {"RevokedAt": value}).revoked == Ticks(0)


def test_change_row_is_read() -> None:
    assert read_changes(CHANGES) == ChangeLog("e", 2, ((2, "+"),))


@pytest.mark.parametrize(
    "properties",
    [{"Epoch": None}, {"Epoch": 7}, {"Sequence": "x"}, {"Recent": "[[1]]"}, {"Recent": "{"}, {"Recent": 7}],
    ids=lambda properties: str(properties)[:40],
)
def test_change_row_that_cannot_be_read_is_refused(properties: dict[str, Any]) -> None:
    with pytest.raises(MalformedRowError):
        read_changes(CHANGES | properties)
