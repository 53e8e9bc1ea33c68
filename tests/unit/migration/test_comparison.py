"""The comparison of both sides: what differs is found, and what does not matter is not."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from proxy.formats.limits import LoadLimits
from proxy.migration.state import CopyState
from proxy.migration.version_copy import find_differences, has_same_content
from proxy.worker.digest_data import digest_data
from proxy.worker.load_data import load_data
from proxy.worker.reader_tasks import DATA, DigestTask, EntityDigest, LoadTask

HEAD = "Bing Spatial Data Services, 1.0, Shops\n"
COLUMNS = "Id(Edm.String,primaryKey),Name(Edm.String),Count(Edm.Int64),Latitude(Edm.Double),Longitude(Edm.Double)\n"
ROWS = ["1,Corner,5,1.5,2.5\n", "2,,7,1,2\n"]


def digest(folder: Path, *rows: str, columns: str = COLUMNS) -> EntityDigest:
    (folder / DATA).write_text(HEAD + columns + "".join(rows), encoding="utf-8")
    return digest_data(_task(folder), lambda _processed, _failed: None)


def _task(folder: Path, schema: str | None = None) -> DigestTask:
    limits = LoadLimits()
    return DigestTask(str(folder), "csv", limits.entities, limits.unpacked_bytes, schema)


def test_a_file_and_the_version_that_a_load_makes_of_it_are_the_same(tmp_path: Path) -> None:
    found = digest(tmp_path, *ROWS)
    limits = LoadLimits()
    task = LoadTask(str(tmp_path), "csv", limits.entities, limits.unpacked_bytes, None)
    loaded = load_data(task, lambda _processed, _failed: None)
    assert digest_data(_task(tmp_path, loaded.schema), lambda _processed, _failed: None) == found
    assert (found.entities, found.failed, found.entity_type) == (2, 0, "Shops")


def test_the_order_of_entities_and_properties_does_not_matter(tmp_path: Path) -> None:
    other = COLUMNS.replace("Name(Edm.String),Count(Edm.Int64)", "Count(Edm.Int64),Name(Edm.String)")
    rows = ["2,7,,1,2\n", "1,5,Corner,1.5,2.5\n"]
    assert digest(tmp_path, *rows, columns=other).digest == digest(tmp_path, *ROWS).digest


@pytest.mark.parametrize(
    "row",
    [
        "1,Corner,5,1.50001,2.5\n",
        "1,Corner,5,2.5,1.5\n",
        "1,corner,5,1.5,2.5\n",
        "1,,5,1.5,2.5\n",
        "1,Corner,,1.5,2.5\n",
        "3,Corner,5,1.5,2.5\n",
        "",
    ],
)
def test_one_value_that_differs_is_found(tmp_path: Path, row: str) -> None:
    assert digest(tmp_path, row, ROWS[1]).digest != digest(tmp_path, *ROWS).digest


def test_an_entity_that_fails_is_counted(tmp_path: Path) -> None:
    assert digest(tmp_path, *ROWS, "3,North,1,95,2\n").failed == 1


STATE = CopyState(schema="s", digest="d", entities=2, expected=2, version="v1")
HERE = EntityDigest("Shops", "s", 2, 0, "d")


@pytest.mark.parametrize(
    ("state", "here", "words"),
    [
        ({}, {}, ""),
        ({"expected": 0}, {}, ""),
        ({"failed": 1, "expected": 3}, {}, "1 entities break a rule of loads: see output/failed of the job v1"),
        ({"expected": 3}, {}, "the service counts 3 entities, and its file has 2"),
        ({}, {"entities": 1, "digest": "e"}, "2 entities there, 1 here"),
        ({}, {"schema": "t"}, "the schema"),
        ({}, {"digest": "e"}, "the values of entities"),
    ],
)
def test_each_difference_has_its_words(state: dict[str, Any], here: dict[str, Any], words: str) -> None:
    left, right = CopyState(**asdict(STATE) | state), replace(HERE, **here)
    assert find_differences(left, right) == words
    assert has_same_content(left, right) == (not {"schema", "digest"} & set(here))
