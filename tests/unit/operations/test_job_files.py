"""A row can name any blob; only those that may be the account's outputs are read."""

import pytest

from adapters.model.jobs import BlobPath
from proxy.operations.job_files import may_read

JOB, TRY = "0" * 32, "1" * 12


@pytest.mark.parametrize(
    ("path", "may"),
    [
        (f"exports/contoso/{JOB}/{TRY}/Shops.xml", True),
        ("exports/contoso/imported.xml", True),
        ("exports/coffee.xml", True),
        ("exports/geocode/failed.csv", True),
        ("factory-results/a/b.csv", True),
        (f"exports/fabrikam/{JOB}/{TRY}/Shops.xml", False),
        ("exports/fabrikam/any.xml", False),
        (f"exports/removed/{JOB}/{TRY}/Shops.xml", False),
        ("uploads/contoso/x", False),
        ("uploads/fabrikam/x", False),
        ("datasources/contoso/shops/x.parquet", False),
        ("$logs/blob/2026/01/01.log", False),
    ],
)
def test_blobs_of_other_accounts_and_kinds_are_no_outputs(path: str, *, may: bool) -> None:
    parsed = BlobPath.parse(path)
    assert parsed is not None
    assert may_read("contoso", parsed, ["contoso", "fabrikam"]) is may
