"""What the clients of the Azure SDKs are opened with: a credential in the form that each takes, and options."""

from typing import Any

from azure.core.credentials import AzureNamedKeyCredential
from azure.core.credentials_async import AsyncTokenCredential

from adapters.credentials.factory import Credential, TokenCredential
from adapters.instrumentation import InstrumentedTransport, Service, StorageObserver


def client_options(
    observer: StorageObserver, service: Service, timeout: float, read_timeout: float | None = None
) -> dict[str, Any]:
    """How long a client waits, in seconds, and how often it retries."""
    return {
        "retry_total": 2,
        "retry_backoff_factor": 0.2,
        "permit_redirects": False,  # storage never redirects
        "transport": InstrumentedTransport(observer, service, timeout, read_timeout or timeout),
    }


def table_credential(credential: Credential) -> AzureNamedKeyCredential | AsyncTokenCredential:
    """A credential as the tables SDK takes it."""
    if isinstance(credential, TokenCredential):
        return credential.token
    return AzureNamedKeyCredential(credential.account_name, credential.account_key)


def blob_credential(credential: Credential) -> AsyncTokenCredential | dict[str, str]:
    """A credential as the blob and queue SDKs take it."""
    if isinstance(credential, TokenCredential):
        return credential.token
    return {"account_name": credential.account_name, "account_key": credential.account_key}
