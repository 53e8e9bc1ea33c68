"""The stored vocabulary."""

import pytest

from adapters.model.jobs import BlobPath, JobStatus, JobType
from tests.support.given_jobs import record


@pytest.mark.parametrize(
    ("text", "container", "name"),
    [
        ("exports/a.xml", "exports", "a.xml"),
        ("exports/2026/01/a b.xml", "exports", "2026/01/a b.xml"),
        ("a-1/é?#%.zip", "a-1", "é?#%.zip"),
        ("$web/index.html", "$web", "index.html"),
        ("0" * 63 + "/x", "0" * 63, "x"),
        ("abc/" + "x" * 1024, "abc", "x" * 1024),
    ],
)
def test_a_blob_path_is_a_container_and_a_name(text: str, container: str, name: str) -> None:
    path = BlobPath.parse(text)
    assert path == BlobPath(container, name)
    assert str(path) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "exports",
        "exports/",
        "exports//a.xml",
        "/a.xml",
        "ab/a.xml",
        "Exports/a.xml",
        "-exports/a.xml",
        "exports-/a.xml",
        "ex--ports/a.xml",
        "0" * 64 + "/x",
        "a-" * 40 + "a/x",
        "abc/" + "x" * 1025,
        "exports/a\nb",
        "exports/\0",
        "exports/\ud800",
        "exports/a.xml\n",
        "https://host/exports/a.xml",
        "../a.xml",
    ],
)
def test_what_names_no_blob_is_none(text: str) -> None:
    assert BlobPath.parse(text) is None


def test_a_job_is_shown_by_its_id_at_bing_or_its_own() -> None:
    assert record().public_id == record().row_key
    assert record(legacy_id="Old").public_id == "Old"


def test_only_a_download_with_a_name_can_be_a_newest_download() -> None:
    assert record(JobType.DOWNLOAD).is_named_download()
    assert not record(JobType.DOWNLOAD, data_source_name=None).is_named_download()
    assert not record(JobType.COMPLETE).is_named_download()


def test_new_rows_are_written_with_the_clients_words() -> None:
    assert [status.value for status in JobStatus] == ["Pending", "Completed", "Aborted"]
