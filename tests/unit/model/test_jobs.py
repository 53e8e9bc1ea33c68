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
def test_blob_path_is_a_container_and_a_name(text: str, container: str, name: str) -> None:
    path = BlobPath.parse(text)
    assert path == BlobPath(container, name)
    assert str(path) == text


MALFORMED = """
    exports exports/ exports//a.xml /a.xml ab/a.xml Exports/a.xml -exports/a.xml exports-/a.xml ex--ports/a.xml
    https://host/exports/a.xml ../a.xml
"""
TOO_LONG = ["0" * 64 + "/x", "a-" * 40 + "a/x", "abc/" + "x" * 1025]
CONTROLS = ["exports/a\nb", "exports/\0", "exports/\ud800", "exports/a.xml\n"]


@pytest.mark.parametrize("text", ["", *MALFORMED.split(), *TOO_LONG, *CONTROLS])
def test_malformed_blob_path_is_none(text: str) -> None:
    assert BlobPath.parse(text) is None


def test_public_id_is_the_legacy_id_or_the_row_key() -> None:
    assert record().public_id == record().row_key
    assert record(legacy_id="Old").public_id == "Old"


def test_named_download_has_the_type_and_a_name() -> None:
    assert record(JobType.DOWNLOAD).is_named_download()
    assert not record(JobType.DOWNLOAD, data_source_name=None).is_named_download()
    assert not record(JobType.COMPLETE).is_named_download()


def test_status_values_are_those_of_new_rows() -> None:
    assert [status.value for status in JobStatus] == ["Pending", "Completed", "Aborted"]
