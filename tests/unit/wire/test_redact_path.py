"""What a log line tells of a path."""

import pytest

from proxy.keyring.keyring import KeyGrant, KeyRing, hash_key
from proxy.wire.request import redact_path


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/REST/v1/Dataflows/ListJobs", "/REST/v1/Dataflows/ListJobs"),
        ("//rest/V1/dataflows/listjobs/", "/rest/V1/dataflows/listjobs"),
        (f"/REST/v1/data/jobs/{'0a' * 16}/$getstatus", f"/REST/v1/data/jobs/{'0a' * 16}/$getstatus"),
        ("/REST/v1/Dataflows/Download/Coffee/output/succeeded", "/REST/v1/Dataflows/Download/.../output/succeeded"),
        ("/REST/v1/Dataflows/LoadDataSource/%3Fkey%3DSECRET", "/REST/v1/Dataflows/LoadDataSource/..."),
        (f"/REST/v1/data/{'0a' * 16}/Coffee/$commit", f"/REST/v1/data/{'0a' * 16}/.../$commit"),
        ("/REST/v1/data/SECRET/Coffee/$UpdateDataSource", "/REST/v1/data/.../.../$UpdateDataSource"),
        ("/REST/v1/Dataflows/DataSourceDownload/SECRET/Coffee", "/REST/v1/Dataflows/DataSourceDownload/.../..."),
        ("/SECRET/favicon.ico", "/.../..."),
        ("/" + "a/" * 100, "/..." * 8),
        ("*", "/..."),
        ("/", ""),
    ],
)
def test_a_redacted_path_holds_no_possible_secret(path: str, told: str) -> None:
    assert redact_path(path.encode()) == told


def test_a_key_that_looks_like_an_id_is_redacted() -> None:
    key, job_id = "0b" * 16, "0a" * 16
    ring = KeyRing({}, {hash_key(key.encode()): KeyGrant("contoso")})
    assert redact_path(f"/REST/v1/data/{key}/{job_id}".encode(), ring.has_key) == f"/REST/v1/data/.../{job_id}"
