"""The envelope that every answer comes in (wire contract, section 2)."""

from dataclasses import dataclass
from enum import StrEnum

from proxy.wire.resources import JobResource

DEFAULT_COPYRIGHT = (
    "Copyright © {year} Microsoft and its suppliers. All rights reserved. This API cannot be accessed and the content"
    " and any results may not be used, reproduced or transmitted in any manner without express written permission from"
    " Microsoft Corporation."
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
    """An answer as a whole.

    `resources` is None on an error, which has no resource set; otherwise there is one set, and its estimated total is
    the number of its resources. `error_details` is empty where the member is absent.
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
    """The texts of the envelope that come from configuration."""

    copyright: str = DEFAULT_COPYRIGHT
    brand_logo_uri: str = DEFAULT_BRAND_LOGO_URL

    def copyright_of(self, year: int) -> str:
        """The notice, with the year in its place."""
        return self.copyright.replace("{year}", f"{year}")
