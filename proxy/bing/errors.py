"""The error catalogue: code, HTTP status and text of every error, in one place (wire contract, section 5)."""

from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus

from proxy.bing.envelope import Authentication


@dataclass(frozen=True, slots=True)
class ErrorEntry:
    """One row of the catalogue: HTTP status, authenticationResultCode, and the text in errorDetails."""

    status: HTTPStatus
    authentication: Authentication
    text: str


class ErrorCode(Enum):
    """The errors that a caller can see."""

    NO_KEY = ErrorEntry(
        HTTPStatus.UNAUTHORIZED,
        Authentication.NO_CREDENTIALS,
        "No key was given. Add the parameter key with your Bing Maps Key.",
    )
    UNKNOWN_KEY = ErrorEntry(
        HTTPStatus.UNAUTHORIZED, Authentication.INVALID, "The key is not known. Check the parameter key."
    )
    TOO_MANY_KEYS = ErrorEntry(
        HTTPStatus.SERVICE_UNAVAILABLE,
        Authentication.NONE,
        "Too many unknown keys came from your address. Try again.",
    )
    EXPIRED_KEY = ErrorEntry(HTTPStatus.UNAUTHORIZED, Authentication.EXPIRED, "The key has expired.")
    MASTER_KEY_NEEDED = ErrorEntry(
        HTTPStatus.UNAUTHORIZED, Authentication.NOT_AUTHORIZED, "This request needs a master key."
    )
    OTHER_DATA_SOURCE = ErrorEntry(
        HTTPStatus.UNAUTHORIZED,
        Authentication.NOT_AUTHORIZED,
        "The key is not the master key of this data source.",
    )
    BAD_OUTPUT = ErrorEntry(
        HTTPStatus.BAD_REQUEST,
        Authentication.VALID,
        "The parameter output (or o) is not valid. Allowed values: json, xml.",
    )
    BAD_DATA_SOURCE_NAME = ErrorEntry(
        HTTPStatus.BAD_REQUEST,
        Authentication.VALID,
        "The data source name in the path is not valid. Allowed are 1 to 50 letters, digits and ~ ` ! $ ^ _ = { }",
    )
    NOT_HTTP = ErrorEntry(
        HTTPStatus.BAD_REQUEST, Authentication.NONE, "The request is not valid HTTP, or its head is too large."
    )
    NO_SUCH_PATH = ErrorEntry(HTTPStatus.NOT_FOUND, Authentication.NONE, "There is nothing at this path.")
    NO_SUCH_JOB = ErrorEntry(
        HTTPStatus.NOT_FOUND, Authentication.VALID, "There is no such job in the account of this key."
    )
    NO_SUCH_OUTPUT = ErrorEntry(HTTPStatus.NOT_FOUND, Authentication.VALID, "The job has no such output.")
    WRONG_METHOD = ErrorEntry(
        HTTPStatus.METHOD_NOT_ALLOWED, Authentication.NONE, "This path does not take that method."
    )
    BAD_ROW = ErrorEntry(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        Authentication.VALID,
        "The job's record can't be read. The traceId is in the log.",
    )
    OUR_FAULT = ErrorEntry(
        HTTPStatus.INTERNAL_SERVER_ERROR, Authentication.NONE, "The server failed. The traceId is in the log."
    )
    STORAGE = ErrorEntry(
        HTTPStatus.SERVICE_UNAVAILABLE, Authentication.VALID, "The storage of the account does not answer. Try again."
    )


class WireError(Exception):
    """Ends a request with an entry of the catalogue. `allow` lists the methods that a 405 names."""

    def __init__(self, code: ErrorCode, allow: tuple[str, ...] = ()) -> None:
        super().__init__(code.name)
        self.code = code
        self.allow = allow
