"""The documents' own tables and examples agree with the code."""

import ast
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.model.jobs import JobType
from adapters.model.status_aliases import STATUS_ALIASES, parse_status
from adapters.model.ticks import from_datetime
from adapters.tables.job_rows import write_job
from proxy.demo.samples import jobs
from proxy.keyring.file import parse_keyring
from tests.docs.pages import ROOT, block, code, read, section, table
from tests.unit.formats.loading import load

API, SCHEMA = read("docs/api.md"), read("docs/storage-schema.md")
OPENED = {"1": datetime(2010, 11, 16, tzinfo=UTC), "2": datetime(2011, 8, 22, tzinfo=UTC)}


def example(form: str, folder: Path) -> bytes:
    """The page's example file of a format; for a shapefile, what its script writes."""
    text = section(API, f"### {form}")
    if form != "shapefile":
        first: str = re.findall(r"^```\w+\n(.*?)^```", text, re.MULTILINE | re.DOTALL)[0]
        return first.encode()
    subprocess.run([sys.executable, "-c", block(text, "python")], cwd=folder, check=True)
    return (folder / "coffee.zip").read_bytes()


@pytest.mark.parametrize("form", ["csv", "tab", "pipe", "xml", "kml", "shapefile"])
def test_each_formats_example_loads_the_same_shops(form: str, tmp_path: Path) -> None:
    loaded = load(example(form, tmp_path), "shp" if form == "shapefile" else form)
    assert loaded.failures == []
    assert [(each["EntityID"], each["Name"], each["Latitude"], each["Longitude"]) for each in loaded.entities] == [
        ("1", "Fourth Coffee, Seattle", 47.61, -122.33),
        ("2", "Fourth Coffee Tacoma", 47.25, -122.44),
    ]
    for each in loaded.entities:
        opened = OPENED[each["EntityID"]]
        assert each["Opened"] == (f"{opened:%Y-%m-%d}" if form == "kml" else from_datetime(opened))
        assert form == "kml" or each["Wifi"] is (each["EntityID"] == "1")


def test_the_example_of_an_incremental_load_deletes_one_shop() -> None:
    second = re.findall(r"^```csv\n(.*?)^```", section(API, "### csv"), re.MULTILINE | re.DOTALL)[1]
    loaded = load(second.encode(), "csv", incremental=True)
    assert ([each["EntityID"] for each in loaded.entities], loaded.deleted, loaded.failures) == (["1"], ["2"], [])


def test_every_difference_has_a_test_of_its_number() -> None:
    numbers = [int(row[0]) for row in table(read("docs/compatibility.md"), "# |")]
    assert numbers == list(range(1, len(numbers) + 1))
    names = [
        node.name
        for file in (ROOT / "tests").rglob("test_differences.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
    ]
    tested = [int(match[1]) for name in names if (match := re.match(r"test_difference_(\d+)_", name))]
    assert sorted(tested) == numbers


def test_the_examples_of_a_key_ring_parse() -> None:
    examples = re.findall(r"^```json\n(.*?)^```", read("docs/configuration.md"), re.MULTILINE | re.DOTALL)
    with_keys, with_store = map(parse_keyring, examples)
    assert set(with_keys.accounts) == set(with_store.accounts) == {"contoso", "fabrikam"}
    assert (len(with_keys.grants), with_keys.key_store) == (3, None)
    assert not with_store.grants
    assert with_store.key_store is not None


def test_the_row_table_has_the_properties_that_are_written() -> None:
    written = set[str]().union(*(write_job("demo", job) for job in jobs()))
    named = {code(row[0])[0]: row for row in table(section(SCHEMA, "## Job rows"), "property |")}
    assert set(named) == written - {"PartitionKey", "RowKey"}
    assert code(named["JobType"][2]) == [job_type.value for job_type in JobType]


def test_the_status_words_are_those_that_are_read() -> None:
    words = {word: status for row in table(SCHEMA, "status words") for word in code(row[0]) for status in [row[1]]}
    assert {word.lower() for word in words} == set(STATUS_ALIASES)
    for word, name in words.items():
        status = parse_status(word)
        assert status is not None
        assert status.value == name


def test_citations_of_contracts_name_a_section() -> None:
    headings = {
        name: re.findall(r"^#+ (?:(\d+)\. )?(.+)$", read(f"docs/{name}-contract.md"), re.MULTILINE)
        for name in ("wire", "write")
    }
    cited = [
        (name, number or heading)
        for folder in ("proxy", "adapters", "tests")
        for path in (ROOT / folder).rglob("*.py")
        for name, number, heading in re.findall(
            r'\b(wire|write)-contract\.md, (?:sections? (\d+)|"([^"]+)")', path.read_text(encoding="utf-8")
        )
    ]
    assert [(name, each) for name, each in cited if not any(each in heading for heading in headings[name])] == []
