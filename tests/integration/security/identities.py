"""Accounts that are opened by an identity, as the key ring writes them."""

from typing import Any

from adapters.credentials.connection_string import EMULATOR_ACCOUNT
from proxy.demo.azurite import Emulator
from tests.support.entra import TENANT

CLIENT = "33333333-3333-3333-3333-333333333333"
SECRET_VARIABLE = "SECURITY_TEST_CLIENT_SECRET"  # noqa: S105 - the name of a variable
CLIENT_SECRET = "client-secret-value"  # noqa: S105 - opens nothing

CREDENTIALS: dict[str, Any] = {
    "default": "default",
    "managed identity": {"managed_identity": True},
    "user-assigned identity": {"managed_identity": True, "client_id": CLIENT},
    "client secret": {"tenant_id": TENANT, "client_id": CLIENT, "client_secret_env": SECRET_VARIABLE},
}


def identity_account(emulator: Emulator, credential: object) -> dict[str, Any]:
    """A key ring's account that asks the emulator as an identity."""
    return {
        "storage": {
            "account_name": EMULATOR_ACCOUNT,
            "credential": credential,
            "table_url": f"{emulator.scheme}://127.0.0.1:{emulator.table_port}/{EMULATOR_ACCOUNT}",
            "blob_url": f"{emulator.scheme}://127.0.0.1:{emulator.blob_port}/{EMULATOR_ACCOUNT}",
        }
    }
