"""No secret of a stored row is shown, whichever property it is in."""

import json

import pytest

from proxy.operations.masking import LONGEST_SHOWN, MASKED, list_properties, mask_secrets

DIGEST = "5e" * 32
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
SECRETS = ("5e5e5e", "Eby8vdM0", "hunter2", "c2lnbmF0dXJl")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"sha256:{DIGEST} is unknown", "*** is unknown"),
        (f"digest {DIGEST}", "digest ***"),
        (f"AccountName=a;AccountKey={ACCOUNT_KEY};", "AccountName=a;AccountKey=***;"),
        (f"the key is {ACCOUNT_KEY}", "the key is ***"),
        ("see https://x.example/a.csv?sv=1&sig=c2lnbmF0dXJl now", "see https://x.example/a.csv?... now"),
        ("see https://olga:hunter2@x.example/a.csv", "see https://x.example/a.csv"),
        ("https://x.example/#hunter2", "https://x.example/?..."),
        ("Bearer c2lnbmF0dXJl", "Bearer ***"),
        ("nothing to hide: 01890a5d, 40 %, a@b", "nothing to hide: 01890a5d, 40 %, a@b"),
    ],
)
def test_secrets_of_a_text_are_masked_and_the_rest_stays(text: str, shown: str) -> None:
    assert mask_secrets(text) == shown
    assert not any(secret in shown for secret in SECRETS)


def test_a_row_is_shown_without_secrets_and_with_its_types() -> None:
    work = {"operation": "complete", "master_key": DIGEST, "query_key": None, "more": [{"Token": "hunter2", "n": 1}]}
    row = {
        "odata.etag": "W/1",
        "PartitionKey": "contoso",
        "RowKey": "0" * 32,
        "Timestamp": "2026-01-02T03:04:05Z",
        "TotalEntityCount@odata.type": "Edm.Int64",
        "TotalEntityCount": "9",
        "Attempts": 2,
        "Unconfirmed": True,
        "Ratio": 0.5,
        "Absent": None,
        "AccountKey": "hunter2",
        "Work": json.dumps(work),
        "Broken": '{"sig": "c2lnbmF0dXJl"',
        "Description": "x" * (LONGEST_SHOWN + 5),
    }
    found = {each.name: (each.type, each.value, each.left_out) for each in list_properties(row)}
    shown = json.loads(found.pop("Work")[1])
    assert shown == work | {"master_key": MASKED, "more": [{"Token": MASKED, "n": 1}]}
    assert found == {
        "PartitionKey": ("String", "contoso", 0),
        "RowKey": ("String", "0" * 32, 0),
        "Timestamp": ("DateTime", "2026-01-02T03:04:05Z", 0),
        "TotalEntityCount": ("Int64", "9", 0),
        "Attempts": ("Int32", "2", 0),
        "Unconfirmed": ("Boolean", "true", 0),
        "Ratio": ("Double", "0.5", 0),
        "AccountKey": ("String", MASKED, 0),
        "Broken": ("String", '{"sig": "***"', 0),
        "Description": ("String", "x" * LONGEST_SHOWN, 5),
    }


def test_json_that_is_too_deep_is_masked_as_text() -> None:
    deep = '{"a":' * 100_000 + f'"sha256:{DIGEST}"'
    (found,) = list_properties({"Work": deep})
    assert DIGEST not in found.value
