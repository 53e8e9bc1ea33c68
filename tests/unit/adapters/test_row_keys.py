"""Alias rows and the operations that write them."""

import pytest
from azure.core import MatchConditions
from azure.data.tables import UpdateMode

from adapters.model.jobs import JobRecord, JobType
from adapters.tables.job_transactions import MAX_RECORDS, upsert_operations
from adapters.tables.row_keys import Alias, download_alias, escape_key, is_valid_key, legacy_alias
from tests.support.given_jobs import record

OLDER, NEWER = "1" * 32, "2" * 32


def _download(row_key: str, name: str | None = "FourthCoffee") -> JobRecord:
    return record(JobType.DOWNLOAD, row_key=row_key, data_source_name=name)


def test_alias_is_in_lower_case() -> None:
    assert legacy_alias("OldID") == "alias:id:oldid"
    assert download_alias("FourthCoffee") == "alias:download:fourthcoffee"
    assert download_alias(None) == "alias:download:"


@pytest.mark.parametrize("text", ["", "a", "alias:id:é %'\"&+", "\ud7ff\ue000", "a" * 512, "\U0001f600" * 256])
def test_key_is_valid(text: str) -> None:
    assert is_valid_key(text)


@pytest.mark.parametrize(
    "text",
    ["/", "\\", "#", "?", "\0", "\t", "\n", "\x7f", "\x9f", "a" * 513, "\U0001f600" * 257, "\ud800", "a\udfffb"],
    ids=ascii,
)
def test_key_is_invalid(text: str) -> None:
    assert not is_valid_key(text)


def test_upsert_of_a_job_is_one_operation() -> None:
    ((operation, row, options),) = upsert_operations("contoso", [record()], {})
    assert (operation, row["RowKey"], options) == ("upsert", record().row_key, {"mode": UpdateMode.REPLACE})


def test_imported_job_is_written_with_its_alias() -> None:
    _, (operation, row, _) = upsert_operations("contoso", [record(legacy_id="OldID")], {})
    assert operation == "upsert"
    assert row == {"PartitionKey": "contoso", "RowKey": "alias:id:oldid", "JobId": record().row_key}


def test_first_download_creates_its_alias() -> None:
    _, (operation, row, _) = upsert_operations("contoso", [_download(NEWER)], {})
    assert operation == "create"
    assert row == {"PartitionKey": "contoso", "RowKey": "alias:download:fourthcoffee", "JobId": NEWER}


def test_newer_download_moves_the_alias_by_its_etag() -> None:
    known = {"alias:download:fourthcoffee": Alias(OLDER, "etag")}
    _, (operation, row, options) = upsert_operations("contoso", [_download(NEWER)], known)
    assert (operation, row["JobId"]) == ("update", NEWER)
    assert (options["etag"], options["match_condition"]) == ("etag", MatchConditions.IfNotModified)


@pytest.mark.parametrize("known", [OLDER, NEWER])
def test_older_download_leaves_the_alias(known: str) -> None:
    aliases = {"alias:download:fourthcoffee": Alias(known, "etag")}
    assert len(upsert_operations("contoso", [_download(OLDER)], aliases)) == 1


def test_malformed_alias_is_replaced() -> None:
    aliases = {"alias:download:fourthcoffee": Alias(5, "etag")}
    assert upsert_operations("contoso", [_download(OLDER)], aliases)[1][0] == "update"


def test_newest_of_several_downloads_gets_the_alias() -> None:
    batch = upsert_operations("contoso", [_download(NEWER), _download(OLDER, "FOURTHCOFFEE")], {})
    assert [(operation, row["RowKey"]) for operation, row, _ in batch] == [
        ("upsert", NEWER),
        ("upsert", OLDER),
        ("create", "alias:download:fourthcoffee"),
    ]
    assert batch[2][1]["JobId"] == NEWER


def test_download_without_a_name_has_no_alias() -> None:
    assert len(upsert_operations("contoso", [_download(NEWER, None)], {})) == 1


def test_transaction_has_at_most_100_operations() -> None:
    records = [
        record(JobType.DOWNLOAD, row_key=f"{count:032x}", data_source_name=f"Source{count}", legacy_id=f"Old{count}")
        for count in range(MAX_RECORDS)
    ]
    assert len(upsert_operations("contoso", records, {})) <= 100


def test_what_a_key_may_not_hold_is_percent_encoded() -> None:
    assert escape_key("a/b\\c#d?e\x7f") == "a%2Fb%5Cc%23d%3Fe%7F"
    assert escape_key("50% off, 'ü' & co%2f") == "50% off, 'ü' & co%2f"
    assert is_valid_key(escape_key("/" * 64))
