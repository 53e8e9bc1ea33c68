"""The app registration by which people sign in, and the URLs of its tenant."""

import os
from dataclasses import dataclass, field

WORLD_WIDE = "login.microsoftonline.com"


def authority_host() -> str:
    """The host of Microsoft Entra ID: AZURE_AUTHORITY_HOST, as for azure-identity, or the public one."""
    text = os.environ.get("AZURE_AUTHORITY_HOST") or WORLD_WIDE
    return text.removeprefix("https://").rstrip("/")


@dataclass(frozen=True, slots=True)
class AppRegistration:
    """An app registration.

    Args:
        tenant_id: the tenant, in lower case.
        client_id: the application's id in it, in lower case.
        host: the host of Microsoft Entra ID.
    """

    tenant_id: str
    client_id: str
    host: str = field(default_factory=authority_host)

    @property
    def authority(self) -> str:
        """The URL of the tenant."""
        return f"https://{self.host}/{self.tenant_id}"

    @property
    def issuer(self) -> str:
        """The `iss` of its tokens."""
        return f"{self.authority}/v2.0"

    @property
    def keys_url(self) -> str:
        """Where the keys are that sign its tokens."""
        return f"{self.authority}/discovery/v2.0/keys"
