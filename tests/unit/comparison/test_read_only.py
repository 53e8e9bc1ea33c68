"""A path is sent only where it reads, however often the other side decodes it."""

import pytest

from proxy.comparison.read_only import only_reads

READS = [
    "data",
    "data/$metadata",
    "data/a/b/$metadata",
    "data/a/b/C%20D",
    "dataflows/LISTJOBS/",
    "Dataflows/Geocode/x.y",
]

OTHERS = [
    "Dataflows/DataSourceDownload/a/b",
    "Dataflows/DataSourceDownload/a%2Fb",
    "Dataflows/DataSourceDownload/a%25252fb",
    "Dataflows/DataSourceDownload/a%5cb",
    "Dataflows/LoadDataSource/..",
    "Dataflows/LoadDataSource/%2e%2E",
    "Dataflows/LoadDataSource/.%252e",
    "data/a/b/$commit",
    "data/a/b/%24commit",
    "data/a/b/%2524commit",
    "data/a/b/$updatedatasource",
    "data/$other",
]


@pytest.mark.parametrize("path", READS)
def test_what_reads_may_be_sent(path: str) -> None:
    assert only_reads("GET", path)
    assert not only_reads("POST", path)


@pytest.mark.parametrize("path", OTHERS)
def test_what_may_be_more_than_a_read_is_not_sent(path: str) -> None:
    assert not only_reads("GET", path)
