"""The envelope of every response (wire-contract.md, section 2)."""

from dataclasses import dataclass
from enum import StrEnum

from proxy.wire.resources import JobResource

DEFAULT_COPYRIGHT = (
    "Copyright © {year} Microsoft and its suppliers. All rights reserved. This API cannot be accessed and the content"
    " and any results may not be used, reproduced or transmitted in any manner without express written permission from"
    " Microsoft Corporation."
)
# Of queries; the two blanks are the service's own.
DEFAULT_QUERY_COPYRIGHT = (
    "© {year} Microsoft and its suppliers.  This API and any results cannot be used or accessed without Microsoft's"
    " express written permission."
)
DEFAULT_BRAND_LOGO_URL = "http://spatial.virtualearth.net/Branding/logo_powered_by.png"


class Authentication(StrEnum):
    """The values of authenticationResultCode."""

    VALID = "ValidCredentials"
    INVALID = "InvalidCredentials"
    EXPIRED = "CredentialsExpired"
    NOT_AUTHORIZED = "NotAuthorized"
    NO_CREDENTIALS = "NoCredentials"
    NONE = "None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A whole response.

    `resources` is None for an error, which has no resource set. `error_details` is empty where the member is absent.
    """

    status_code: int
    status_description: str
    authentication: Authentication
    copyright: str
    brand_logo_uri: str
    trace_id: str
    resources: tuple[JobResource, ...] | None = None
    error_details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Branding:
    """The texts of the envelope that the settings give."""

    copyright: str = DEFAULT_COPYRIGHT
    brand_logo_uri: str = DEFAULT_BRAND_LOGO_URL

    def format_copyright(self, year: int) -> str:
        """The copyright notice of a year."""
        return self.copyright.replace("{year}", f"{year}")
