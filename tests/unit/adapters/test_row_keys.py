"""Alias rows and the operations that write them."""

import pytest
from azure.core import MatchConditions
from azure.data.tables import UpdateMode

from adapters.model.jobs import JobRecord, JobType
from adapters.tables.job_transactions import TRANSACTION_RECORDS, operations
from adapters.tables.row_keys import Alias, download_alias, is_key, legacy_alias
from tests.support.given_jobs import record

OLDER, NEWER = "1" * 32, "2" * 32


def _download(row_key: str, name: str | None = "FourthCoffee") -> JobRecord:
    return record(JobType.DOWNLOAD, row_key=row_key, data_source_name=name)


def test_an_alias_is_in_lower_case() -> None:
    assert legacy_alias("OldID") == "alias:id:oldid"
    assert download_alias("FourthCoffee") == "alias:download:fourthcoffee"
    assert download_alias(None) == "alias:download:"


@pytest.mark.parametrize("text", ["", "a", "alias:id:é %'\"&+", "\ud7ff\ue000", "a" * 512, "\U0001f600" * 256])
def test_table_storage_takes_these_keys(text: str) -> None:
    assert is_key(text)


@pytest.mark.parametrize(
    "text", ["/", "\\", "#", "?", "\0", "\t", "\n", "\x7f", "\x9f", "a" * 513, "\U0001f600" * 257], ids=ascii
)
def test_table_storage_refuses_these_keys(text: str) -> None:
    assert not is_key(text)


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb"], ids=ascii)
def test_half_a_character_is_no_key(text: str) -> None:
    assert not is_key(text)


def test_a_job_is_one_operation() -> None:
    ((operation, row, options),) = operations("contoso", [record()], {})
    assert (operation, row["RowKey"], options) == ("upsert", record().row_key, {"mode": UpdateMode.REPLACE})


def test_an_imported_job_is_written_with_its_alias() -> None:
    _, (operation, row, _) = operations("contoso", [record(legacy_id="OldID")], {})
    assert operation == "upsert"
    assert row == {"PartitionKey": "contoso", "RowKey": "alias:id:oldid", "JobId": record().row_key}


def test_a_first_download_makes_its_alias() -> None:
    _, (operation, row, _) = operations("contoso", [_download(NEWER)], {})
    assert operation == "create"
    assert row == {"PartitionKey": "contoso", "RowKey": "alias:download:fourthcoffee", "JobId": NEWER}


def test_a_newer_download_moves_the_alias_if_nobody_else_has() -> None:
    known = {"alias:download:fourthcoffee": Alias(OLDER, "etag")}
    _, (operation, row, options) = operations("contoso", [_download(NEWER)], known)
    assert (operation, row["JobId"]) == ("update", NEWER)
    assert (options["etag"], options["match_condition"]) == ("etag", MatchConditions.IfNotModified)


@pytest.mark.parametrize("known", [OLDER, NEWER])
def test_an_older_download_leaves_the_alias_alone(known: str) -> None:
    aliases = {"alias:download:fourthcoffee": Alias(known, "etag")}
    assert len(operations("contoso", [_download(OLDER)], aliases)) == 1


def test_an_alias_that_points_at_nothing_is_mended() -> None:
    aliases = {"alias:download:fourthcoffee": Alias(5, "etag")}
    assert operations("contoso", [_download(OLDER)], aliases)[1][0] == "update"


def test_of_several_downloads_the_newest_gets_the_alias() -> None:
    batch = operations("contoso", [_download(NEWER), _download(OLDER, "FOURTHCOFFEE")], {})
    assert [(operation, row["RowKey"]) for operation, row, _ in batch] == [
        ("upsert", NEWER),
        ("upsert", OLDER),
        ("create", "alias:download:fourthcoffee"),
    ]
    assert batch[2][1]["JobId"] == NEWER


def test_a_download_without_a_name_has_no_alias() -> None:
    assert len(operations("contoso", [_download(NEWER, None)], {})) == 1


def test_a_transaction_stays_within_what_table_storage_takes() -> None:
    records = [
        record(JobType.DOWNLOAD, row_key=f"{count:032x}", data_source_name=f"Source{count}", legacy_id=f"Old{count}")
        for count in range(TRANSACTION_RECORDS)
    ]
    assert len(operations("contoso", records, {})) <= 100
