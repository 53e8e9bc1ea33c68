"""The error catalogue: code, HTTP status and text of every error, in one place (wire contract, section 5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus

from proxy.wire.envelope import Authentication

DATA_SOURCE_NAME = "1 to 50 characters: ASCII letters, digits and ~ ` ! $ ^ _ = { } -"
"""What a data source name may be, in the words of messages."""

NO_VALUES: Mapping[str, str | int] = {}


@dataclass(frozen=True, slots=True)
class ErrorSpec:
    """One row of the catalogue: HTTP status, authenticationResultCode, and the text in errorDetails.

    The text may name values in braces, which the error gives. `retry_after` is in seconds; a 503 alone shows it.
    """

    status: HTTPStatus
    authentication: Authentication
    text: str
    retry_after: int = 2

    def text_with(self, values: Mapping[str, str | int]) -> str:
        """The text with these values in their places."""
        return self.text.format_map(values) if values else self.text  # without values, braces stand for themselves


class ErrorCode(Enum):
    """The errors that a caller can see."""

    NO_KEY = ErrorSpec(
        HTTPStatus.UNAUTHORIZED,
        Authentication.NO_CREDENTIALS,
        "No key was given. Add the parameter key with your Bing Maps Key.",
    )
    UNKNOWN_KEY = ErrorSpec(
        HTTPStatus.UNAUTHORIZED, Authentication.INVALID, "The key is not known. Check the parameter key."
    )
    TOO_MANY_KEYS = ErrorSpec(
        HTTPStatus.SERVICE_UNAVAILABLE,
        Authentication.NONE,
        "Too many unknown keys came from your address. Try again.",
    )
    EXPIRED_KEY = ErrorSpec(HTTPStatus.UNAUTHORIZED, Authentication.EXPIRED, "The key has expired.")
    MASTER_KEY_NEEDED = ErrorSpec(
        HTTPStatus.UNAUTHORIZED, Authentication.NOT_AUTHORIZED, "This request needs a master key."
    )
    OTHER_DATA_SOURCE = ErrorSpec(
        HTTPStatus.UNAUTHORIZED,
        Authentication.NOT_AUTHORIZED,
        "The key is not the master key of this data source.",
    )
    BAD_OUTPUT = ErrorSpec(
        HTTPStatus.BAD_REQUEST,
        Authentication.VALID,
        "The parameter output (or o) is not valid. Allowed values: json, xml.",
    )
    BAD_DATA_SOURCE_NAME = ErrorSpec(
        HTTPStatus.BAD_REQUEST,
        Authentication.VALID,
        f"The data source name in the path is not valid. Allowed are {DATA_SOURCE_NAME}.",
    )
    BAD_NAME_PARAMETER = ErrorSpec(
        HTTPStatus.BAD_REQUEST,
        Authentication.VALID,
        f"The parameter dataSourceName is missing or not valid. Allowed are {DATA_SOURCE_NAME}.",
    )
    BAD_LOAD_OPERATION = ErrorSpec(
        HTTPStatus.BAD_REQUEST,
        Authentication.VALID,
        "The parameter loadOperation is missing or not valid. Allowed values: complete, completeStaging, incremental,"
        " incrementalStaging.",
    )
    BAD_INPUT = ErrorSpec(
        HTTPStatus.BAD_REQUEST,
        Authentication.VALID,
        "The parameter input is missing or not valid. Allowed values: xml, csv, tab, pipe, kml, shp.",
    )
    BAD_SET_PUBLIC = ErrorSpec(
        HTTPStatus.BAD_REQUEST,
        Authentication.VALID,
        "The parameter setPublic is missing or not valid. Allowed values: 0, 1, true, false.",
    )
    BAD_IS_STAGING = ErrorSpec(
        HTTPStatus.BAD_REQUEST,
        Authentication.VALID,
        "The parameter isStaging is not valid. Allowed values: 0, 1, true, false.",
    )
    BAD_SHOW_ALL_VERSIONS = ErrorSpec(
        HTTPStatus.BAD_REQUEST,
        Authentication.VALID,
        "The parameter showAllVersions is not valid. Allowed values: true, false, or a number.",
    )
    BAD_FORMAT = ErrorSpec(
        HTTPStatus.BAD_REQUEST,
        Authentication.VALID,
        "The parameter $format is not valid. Allowed values: atom, json.",
    )
    BAD_DESCRIPTION = ErrorSpec(
        HTTPStatus.BAD_REQUEST,
        Authentication.VALID,
        "The parameter description is too long. Allowed are 2,048 characters.",
    )
    BAD_QUERY_KEY = ErrorSpec(
        HTTPStatus.BAD_REQUEST,
        Authentication.VALID,
        "The parameter queryKey is not valid. Allowed is another key of the account, not that of the parameter key.",
    )
    BAD_DATA_LOCATION = ErrorSpec(
        HTTPStatus.BAD_REQUEST,
        Authentication.VALID,
        "The parameter dataLocation is not valid. Allowed are https URLs of hosts that the service may fetch from,"
        " of at most 8,000 characters.",
    )
    BODY_AND_LOCATION = ErrorSpec(
        HTTPStatus.BAD_REQUEST,
        Authentication.VALID,
        "The data is in the body and the parameter dataLocation names a place. Allowed is one of the two.",
    )
    NO_DATA = ErrorSpec(
        HTTPStatus.BAD_REQUEST,
        Authentication.VALID,
        "There is no data. Send it in the body, or name its place by the parameter dataLocation.",
    )
    BODY_TOO_LARGE = ErrorSpec(HTTPStatus.BAD_REQUEST, Authentication.VALID, "The data is larger than is allowed.")
    BODY_INCOMPLETE = ErrorSpec(HTTPStatus.BAD_REQUEST, Authentication.VALID, "The data ended before its end.")
    BODY_TOO_SLOW = ErrorSpec(HTTPStatus.BAD_REQUEST, Authentication.VALID, "The data did not arrive in time.")
    BEING_DELETED = ErrorSpec(
        HTTPStatus.BAD_REQUEST,
        Authentication.VALID,
        "The data source of this name is being deleted. Wait until its delete job has completed.",
    )
    REJECTED = ErrorSpec(
        HTTPStatus.BAD_REQUEST,
        Authentication.VALID,
        "Storage does not take a value of this request. Check the parameters for long texts and odd characters.",
    )
    NOT_HTTP = ErrorSpec(
        HTTPStatus.BAD_REQUEST, Authentication.NONE, "The request is not valid HTTP, or its head is too large."
    )
    NO_SUCH_PATH = ErrorSpec(HTTPStatus.NOT_FOUND, Authentication.NONE, "There is nothing at this path.")
    NOT_SERVED = ErrorSpec(
        HTTPStatus.NOT_FOUND,
        Authentication.VALID,
        "This endpoint does not serve {what}. Ask its operator what to use instead.",
    )
    NO_SUCH_JOB = ErrorSpec(
        HTTPStatus.NOT_FOUND, Authentication.VALID, "There is no such job in the account of this key."
    )
    NO_SUCH_OUTPUT = ErrorSpec(HTTPStatus.NOT_FOUND, Authentication.VALID, "The job has no such output.")
    NO_SUCH_DATA_SOURCE = ErrorSpec(
        HTTPStatus.NOT_FOUND, Authentication.VALID, "There is no such data source in the account of this key."
    )
    NO_SUCH_VERSION = ErrorSpec(HTTPStatus.NOT_FOUND, Authentication.VALID, "The data source has no such version.")
    TOO_MANY_DATA_SOURCES = ErrorSpec(
        HTTPStatus.FORBIDDEN, Authentication.VALID, "The account has as many data sources as it may have."
    )
    # Clients look for these two texts in a 503; no document of the service knows a 429.
    TOO_MANY_ACTIVE_JOBS = ErrorSpec(
        HTTPStatus.SERVICE_UNAVAILABLE,
        Authentication.VALID,
        "JobUsageQuota: Account already has {limit} 'Pending' jobs.",
        retry_after=30,
    )
    TOO_MANY_JOBS_TODAY = ErrorSpec(
        HTTPStatus.SERVICE_UNAVAILABLE,
        Authentication.VALID,
        "JobUsageQuota: Account has already submitted {limit} jobs in the past 24 hours.",
        retry_after=600,
    )
    WRONG_METHOD = ErrorSpec(HTTPStatus.METHOD_NOT_ALLOWED, Authentication.NONE, "This path does not take that method.")
    CORRUPT_RECORD = ErrorSpec(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        Authentication.VALID,
        "A record can't be read. The traceId is in the log.",
    )
    INTERNAL_ERROR = ErrorSpec(
        HTTPStatus.INTERNAL_SERVER_ERROR, Authentication.NONE, "The server failed. The traceId is in the log."
    )
    STORAGE_UNAVAILABLE = ErrorSpec(
        HTTPStatus.SERVICE_UNAVAILABLE, Authentication.VALID, "The storage of the account does not answer. Try again."
    )


class ApiError(Exception):
    """Ends a request with an entry of the catalogue.

    `allow` lists the methods that a 405 names, `values` those that the entry's text names.
    """

    def __init__(
        self, code: ErrorCode, allow: tuple[str, ...] = (), values: Mapping[str, str | int] = NO_VALUES
    ) -> None:
        super().__init__(code.name)
        self.code = code
        self.allow = allow
        self.values = values
