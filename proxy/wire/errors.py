"""The error catalogue: code, HTTP status and text of every error, in one place (wire-contract.md, section 5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus

from proxy.wire.envelope import Authentication

DATA_SOURCE_NAME = "1 to 50 characters: ASCII letters, digits and ~ ` ! $ ^ _ = { } -"
"""The rule for data source names, as messages word it."""

NO_VALUES: Mapping[str, str | int] = {}


@dataclass(frozen=True, slots=True)
class ErrorSpec:
    """One row of the catalogue: HTTP status, authenticationResultCode, and the text in errorDetails.

    The text may have placeholders in braces. `retry_after` is in seconds; only a 503 shows it. `reason` is for the
    operator's metrics where the authenticationResultCode does not say all.
    """

    status: HTTPStatus
    authentication: Authentication
    text: str
    retry_after: int = 2
    reason: str = ""

    def format_text(self, values: Mapping[str, str | int]) -> str:
        """The text with its placeholders filled."""
        return self.text.format_map(values) if values else self.text  # a text without values may hold braces


def _invalid(text: str) -> ErrorSpec:
    return ErrorSpec(HTTPStatus.BAD_REQUEST, Authentication.VALID, text)


def _not_found(text: str) -> ErrorSpec:
    return ErrorSpec(HTTPStatus.NOT_FOUND, Authentication.VALID, text)


def _unauthorized(authentication: Authentication, text: str, reason: str = "") -> ErrorSpec:
    return ErrorSpec(HTTPStatus.UNAUTHORIZED, authentication, text, reason=reason)


def _unavailable(text: str, retry_after: int = 2, authentication: Authentication = Authentication.VALID) -> ErrorSpec:
    return ErrorSpec(HTTPStatus.SERVICE_UNAVAILABLE, authentication, text, retry_after)


_UNKNOWN_KEY = "The key is not known. Check the parameter key."


class ErrorCode(Enum):
    """The errors that a caller can see."""

    NO_KEY = _unauthorized(
        Authentication.NO_CREDENTIALS, "No key was given. Add the parameter key with your Bing Maps Key."
    )
    UNKNOWN_KEY = _unauthorized(Authentication.INVALID, _UNKNOWN_KEY)
    # To a caller it is the one above (keys contract, section 3). The log and the metrics tell them apart.
    REVOKED_KEY = _unauthorized(Authentication.INVALID, _UNKNOWN_KEY, reason="revoked")
    EXPIRED_KEY = _unauthorized(Authentication.EXPIRED, "The key has expired.")
    MASTER_KEY_NEEDED = _unauthorized(Authentication.NOT_AUTHORIZED, "This request needs a master key.")
    OTHER_DATA_SOURCE = _unauthorized(
        Authentication.NOT_AUTHORIZED, "The key is not the master key of this data source."
    )
    QUERY_KEY_NEEDED = _unauthorized(
        Authentication.NOT_AUTHORIZED,
        "The key may not query this data source. It takes the data source's own query key, or a master key.",
    )
    TOO_MANY_KEYS = _unavailable(
        "Too many unknown keys came from your address. Try again.", authentication=Authentication.NONE
    )
    BAD_OUTPUT = _invalid("The parameter output (or o) is not valid. Allowed values: json, xml.")
    BAD_DATA_SOURCE_NAME = _invalid(f"The data source name in the path is not valid. Allowed are {DATA_SOURCE_NAME}.")
    BAD_NAME_PARAMETER = _invalid(
        f"The parameter dataSourceName is missing or not valid. Allowed are {DATA_SOURCE_NAME}."
    )
    BAD_LOAD_OPERATION = _invalid(
        "The parameter loadOperation is missing or not valid. Allowed values: complete, completeStaging, incremental,"
        " incrementalStaging."
    )
    BAD_INPUT = _invalid("The parameter input is missing or not valid. Allowed values: xml, csv, tab, pipe, kml, shp.")
    BAD_GEOCODE_INPUT = _invalid("The parameter input is missing or not valid. Allowed values: xml, csv, tab, pipe.")
    BAD_SET_PUBLIC = _invalid("The parameter setPublic is missing or not valid. Allowed values: 0, 1, true, false.")
    BAD_IS_STAGING = _invalid("The parameter isStaging is not valid. Allowed values: 0, 1, true, false.")
    BAD_SHOW_ALL_VERSIONS = _invalid(
        "The parameter showAllVersions is not valid. Allowed values: true, false, or a number."
    )
    BAD_FORMAT = _invalid("The parameter $format is not valid. Allowed values: atom, json.")
    BAD_DESCRIPTION = _invalid("The parameter description is too long. Allowed are 2,048 characters.")
    BAD_QUERY_KEY = _invalid(
        "The parameter queryKey is not valid. Allowed is another key of the account, not that of the parameter key."
    )
    BAD_DATA_LOCATION = _invalid(
        "The parameter dataLocation is not valid. Allowed are https URLs of hosts that the service may fetch from,"
        " of at most 8,000 characters."
    )
    BODY_AND_LOCATION = _invalid(
        "The data is in the body and the parameter dataLocation names a place. Allowed is one of the two."
    )
    NO_DATA = _invalid("There is no data. Send it in the body, or name its place by the parameter dataLocation.")
    BODY_TOO_LARGE = _invalid("The data is larger than is allowed.")
    BODY_INCOMPLETE = _invalid("The data ended before its end.")
    BODY_TOO_SLOW = _invalid("The data did not arrive in time.")
    BEING_DELETED = _invalid("The data source of this name is being deleted. Wait until its delete job has completed.")
    BAD_QUERY = _invalid("{text}")
    REJECTED = _invalid(
        "Storage does not take a value of this request. Check the parameters for long texts and odd characters."
    )
    NO_SUCH_PATH = ErrorSpec(HTTPStatus.NOT_FOUND, Authentication.NONE, "There is nothing at this path.")
    NOT_SERVED = _not_found("This endpoint does not serve {what}. Ask its operator what to use instead.")
    # Not a 503: a client takes that for a quota, and tries another key.
    NO_MAPS = ErrorSpec(
        HTTPStatus.NOT_IMPLEMENTED,
        Authentication.VALID,
        "This account can't geocode: no Azure Maps account is set up for it. Ask the operator of this endpoint.",
    )
    NO_SUCH_JOB = _not_found("There is no such job in the account of this key.")
    NO_SUCH_OUTPUT = _not_found("The job has no such output.")
    NO_SUCH_DATA_SOURCE = _not_found("There is no such data source in the account of this key.")
    NO_SUCH_VERSION = _not_found("The data source has no such version.")
    NO_SUCH_ENTITY_TYPE = _not_found("The data source has no such entity type. Its $metadata names the one it has.")
    NO_SUCH_ENTITY = _not_found("The data source has no entity of this id.")
    TOO_MANY_DATA_SOURCES = ErrorSpec(
        HTTPStatus.FORBIDDEN, Authentication.VALID, "The account has as many data sources as it may have."
    )
    # Clients look for these two texts in a 503. No document of the service knows a 429.
    TOO_MANY_ACTIVE_JOBS = _unavailable("JobUsageQuota: Account already has {limit} 'Pending' jobs.", retry_after=30)
    TOO_MANY_JOBS_TODAY = _unavailable(
        "JobUsageQuota: Account has already submitted {limit} jobs in the past 24 hours.", retry_after=600
    )
    WRONG_METHOD = ErrorSpec(HTTPStatus.METHOD_NOT_ALLOWED, Authentication.NONE, "This path does not take that method.")
    CORRUPT_RECORD = ErrorSpec(
        HTTPStatus.INTERNAL_SERVER_ERROR, Authentication.VALID, "A record can't be read. The traceId is in the log."
    )
    INTERNAL_ERROR = ErrorSpec(
        HTTPStatus.INTERNAL_SERVER_ERROR, Authentication.NONE, "The server failed. The traceId is in the log."
    )
    QUERY_TOO_LONG = _unavailable(
        "The query takes too long. Ask for a smaller area, a simpler shape or fewer conditions.", retry_after=30
    )
    QUERY_UNAVAILABLE = _unavailable("The data source can't be read now. Try again.")
    MAPS_UNAVAILABLE = _unavailable("Addresses and routes can't be found at the moment. Try again.", retry_after=5)
    STORAGE_UNAVAILABLE = _unavailable("The storage of the account does not answer. Try again.")
    # Neither says whether the key exists. A client that gets a 401 in their place may give up for good.
    KEY_STORE_UNAVAILABLE = _unavailable("Keys can't be checked at the moment. Try again.")
    UNREADABLE_KEY = _unavailable("The key can't be checked at the moment. Try again later.", retry_after=30)


class ApiError(Exception):
    """Ends a request with an entry of the catalogue.

    `allow` lists the methods for the `Allow` header of a 405, `values` fills the placeholders of the entry's text, and
    `retry_after` replaces the entry's seconds.
    """

    def __init__(
        self,
        code: ErrorCode,
        allow: tuple[str, ...] = (),
        values: Mapping[str, str | int] = NO_VALUES,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(code.name)
        self.code = code
        self.allow = allow
        self.values = values
        self.retry_after = code.value.retry_after if retry_after is None else retry_after
