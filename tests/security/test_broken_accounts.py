"""One account's broken credential is told of, answered by 503, and hurts nobody else."""

import pytest

from tests.conftest import StartServer
from tests.storage import Storage

BROKEN = {
    "keyless": {"storage": {"connection_string": "AccountName=a"}},
    "unset": {"storage": {"connection_string_env": "SECURITY_TEST_UNSET"}},
    "odd": {"storage": {"account_name": "a", "account_key_env": "SECURITY_TEST_UNSET"}},
    "plain": {"storage": {"account_name": "a", "credential": "default", "table_url": "http://127.0.0.1:1/a"}},
    "malformed": {
        "storage": {
            "account_name": "a",
            "credential": {"tenant_id": "not/a/tenant", "client_id": "x", "client_secret_env": "PATH"},
        }
    },
}


def test_the_start_and_the_other_accounts_are_not_hurt(
    storage: Storage, start: StartServer, caplog: pytest.LogCaptureFixture
) -> None:
    keys = {f"{name}-key": {"account": name} for name in BROKEN}
    server = start(storage, accounts=BROKEN, keys=keys)
    assert server.get("Dataflows/ListJobs").status_code == 200
    for key in keys:
        response = server.get("Dataflows/ListJobs", key)
        assert response.status_code == 503
        assert response.json()["authenticationResultCode"] == "ValidCredentials"
        assert "Retry-After" in response.headers
    told = [record for record in caplog.records if "can't be opened" in record.message]
    assert sorted(record.account for record in told) == sorted(BROKEN)  # type: ignore[attr-defined]  # our field
