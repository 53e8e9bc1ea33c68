"""One account's broken credential is told of, answered by 503, and hurts nobody else."""

import asyncio
from datetime import timedelta

import pytest

from adapters.account import StorageOptions
from adapters.accounts import AccountRegistry
from adapters.credentials.config import ConnectionStringConfig, Endpoints, IdentityConfig, IdentityKind
from adapters.errors import StorageError
from tests.conftest import StartServer
from tests.support.storage import Storage

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


def test_a_malformed_endpoint_breaks_its_account_only() -> None:
    # The key ring refuses such a URL; whatever else they may refuse must not end the start either.
    odd = IdentityConfig(Endpoints("a", table_url="https://[::1"), IdentityKind.DEFAULT)
    good = ConnectionStringConfig("UseDevelopmentStorage=true")

    async def test() -> None:
        async with AccountRegistry(
            {"odd": odd, "good": good}, StorageOptions("jobs", timedelta(hours=1), 1)
        ) as accounts:
            assert list(accounts.errors) == ["odd"]
            with pytest.raises(StorageError, match="name or endpoint is malformed"):
                _ = accounts["odd"]
            assert accounts["good"].name == "good"

    asyncio.run(test())
