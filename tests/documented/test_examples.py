"""Every example of the documents comes out to the byte. What was corrected in them is listed in CORRECTIONS.md."""

from itertools import permutations
from pathlib import Path

import pytest

from proxy.wire.job_resources import job_list_resources
from tests.documented.documented import EXAMPLES, FOLDER, STYLE, Example
from tests.documented.documented_jobs import JOB_LIST_XML
from tests.support.member_order import assert_json_order, assert_xml_order

# The five documents, and the answers that each of them shows.
DOCUMENTS = {
    "get-job-list": 2,
    "get-load-data-source-status": 4,
    "get-load-data-source-status-2": 4,
    "get-download-data-source-job-status": 2,
    "download-data-source-dataflow-response-description": 2,
}

each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: str(example.file))


@each_example
def test_an_example_comes_out_to_the_byte(example: Example) -> None:
    assert example.render() == example.content()


def test_every_example_of_the_documents_has_its_file() -> None:
    for document, count in DOCUMENTS.items():
        assert sum(document in example.documents for example in EXAMPLES) == count
    assert {path.name for path in FOLDER.iterdir()} == {example.file for example in EXAMPLES}


def test_every_file_lists_its_corrections() -> None:
    told = (Path(__file__).parent / "CORRECTIONS.md").read_text(encoding="utf-8")
    assert [example.file for example in EXAMPLES if f"`{example.file}`" not in told] == []


@pytest.mark.parametrize(
    "example", [example for example in EXAMPLES if example.file.endswith(".xml")], ids=lambda example: str(example.file)
)
def test_an_xml_example_is_well_formed_and_in_order(example: Example) -> None:
    assert_xml_order(example.content())


@pytest.mark.parametrize(
    "example",
    [example for example in EXAMPLES if example.file.endswith(".json")],
    ids=lambda example: str(example.file),
)
def test_a_json_example_is_well_formed_and_in_order(example: Example) -> None:
    assert_json_order(example.content())


@each_example
def test_a_file_is_utf8_without_bom(example: Example) -> None:
    content = example.content()
    assert content[:1] in {b"{", b"<"}
    assert content[-1:] in {b"}", b">"}
    assert b"\r" not in content


def test_the_job_list_has_its_documented_order() -> None:
    documented = [record.public_id for record in JOB_LIST_XML]
    for rows in permutations(JOB_LIST_XML):
        assert [job.id for job in job_list_resources(rows, STYLE)] == documented
