"""Entities as CSV: formulas of spreadsheets, all types, and little memory."""

import csv
import io
import tracemalloc
from collections.abc import Mapping
from pathlib import Path

import pytest

from adapters.model.ticks import parse_ticks
from proxy.operations import entity_tables
from proxy.operations.entity_tables import stream_csv
from proxy.query.request import parse_request
from proxy.query.version_file import VersionFile
from tests.unit.query.engine.versions import PLAIN_TYPE, SCHEMA, make_version, proceed


def read_csv(version: VersionFile, parameters: Mapping[str, str] | None = None) -> list[list[str]]:
    """The lines of the CSV, read again."""
    query = parse_request("Places", parameters or {}).bind(SCHEMA)
    return list(csv.reader(io.StringIO(b"".join(stream_csv(version, query, proceed)).decode(), newline="")))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\r=1", "=cmd|' /C calc'!A0"])
def test_texts_that_a_spreadsheet_would_run_have_an_apostrophe(tmp_path: Path, text: str) -> None:
    lines = read_csv(make_version(tmp_path, [{"Id": "a", "Name": text}]), {"$select": "Name"})
    assert lines == [["Name"], [f"'{text}"]]


def test_numbers_and_other_texts_are_as_they_are(tmp_path: Path) -> None:
    row = {
        "Id": "a", "Name": 'x"y\n=1, é', "Size": -5, "Rate": -1.5, "IsOpen": True, "latitude": -1.25,
        "Seen": parse_ticks("2026-01-02T03:04:05Z"),
    }  # fmt: skip
    names, values = read_csv(make_version(tmp_path, [row]))
    found = dict(zip(names, values, strict=True))
    assert found == {
        "Id": "a", "Name": 'x"y\n=1, é', "Note": "", "Size": "-5", "Other": "", "Rate": "-1.5", "IsOpen": "true",
        "Seen": "2026-01-02T03:04:05", "Shape": "", "latitude": "-1.250000", "Longitude": "0.000000",
    }  # fmt: skip


def test_all_that_a_filter_finds_is_there_in_its_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entity_tables, "PART_ROWS", 7)
    version = make_version(tmp_path, [{"Id": f"{at:03d}", "Size": at % 10} for at in range(300)])
    parameters = {"$filter": "Size lt 9", "$orderby": "Size desc", "$select": "Size,Id", "$top": "3"}
    lines = read_csv(version, parameters)
    expected = sorted(
        ((f"{at % 10}", f"{at:03d}") for at in range(300) if at % 10 < 9), key=lambda row: (-int(row[0]), row[1])
    )
    assert lines == [["Size", "Id"], *map(list, expected)]


def test_no_entity_is_the_head_alone(tmp_path: Path) -> None:
    assert read_csv(make_version(tmp_path, []), {"$select": "Id"}) == [["Id"]]


def test_memory_is_that_of_a_part(tmp_path: Path) -> None:
    text = "x" * 2000
    version = make_version(
        tmp_path, [{"Id": f"{at:05d}", "Name": text, "Note": text} for at in range(10_000)], PLAIN_TYPE
    )
    query = parse_request("Places", {"$select": "Id,Name,Note"}).bind(SCHEMA)
    size = 0
    tracemalloc.start()
    try:
        for part in stream_csv(version, query, proceed):
            size += len(part)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size > 40_000_000
    assert peak < 30_000_000
