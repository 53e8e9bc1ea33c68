"""What can go wrong between us and Azure Storage, in one vocabulary.

Azure's errors come as a dozen exception types, status codes and error codes. Callers need three things only: that
storage could not answer, why in words fit for a log, and what the operator may do about it.
"""

import re
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus

from aiohttp import ClientConnectionError, ClientPayloadError
from azure.core.exceptions import (
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)


@dataclass(frozen=True, slots=True)
class StorageErrorKind:
    """A kind of fault: its name for logs and what the operator should look at."""

    name: str
    advice: str


class StorageErrorCode(Enum):
    """The kinds of fault, as a table."""

    UNREACHABLE = StorageErrorKind(
        "unreachable", "check the endpoint, DNS, firewall and private endpoint of this account"
    )
    TIMEOUT = StorageErrorKind("timeout", "storage did not answer in time; see its metrics, or allow it more")
    THROTTLED = StorageErrorKind("throttled", "the storage account is at its limits; see its metrics")
    ACCESS_DENIED = StorageErrorKind("refused", "check this account's credential, its roles, and the storage firewall")
    NO_TABLE = StorageErrorKind("no table", "create the table, or let this account's credential create it")
    UNEXPECTED_RESPONSE = StorageErrorKind("nonsense", "something that is not Table Storage answers at this endpoint")
    REJECTED = StorageErrorKind("rejected", "storage is well: the request held a value that it does not take")
    OVERLOADED = StorageErrorKind(
        "busy", "more requests wait for this account than may; its storage is slow, or add processes"
    )
    SERVER_ERROR = StorageErrorKind("failed", "see Azure's service health for this account")
    CREDENTIAL = StorageErrorKind("credential", "mend this account's storage entry")


class StorageError(Exception):
    """Storage could not answer.

    The text is fit for a log: it holds no URL, header, key or signature.
    """

    def __init__(self, fault: StorageErrorCode, detail: str = "") -> None:
        super().__init__(f"{fault.value.name}: {detail}" if detail else fault.value.name)
        self.fault = fault
        self.detail = detail


class ConflictError(Exception):
    """Another writer changed the row first."""


# Error codes of Table Storage that mean a kind of their own; the rest is judged by the HTTP status.
_CODES = {
    "TableNotFound": StorageErrorCode.NO_TABLE,
    "TableBeingDeleted": StorageErrorCode.NO_TABLE,
    "OperationTimedOut": StorageErrorCode.TIMEOUT,
    "ServerBusy": StorageErrorCode.THROTTLED,
}
_STATUSES = {
    401: StorageErrorCode.ACCESS_DENIED,
    403: StorageErrorCode.ACCESS_DENIED,
    408: StorageErrorCode.TIMEOUT,
    413: StorageErrorCode.REJECTED,
    414: StorageErrorCode.REJECTED,
    429: StorageErrorCode.THROTTLED,
    503: StorageErrorCode.THROTTLED,
}

# Codes of an answer 400 that are about how we ask, not about a value that a caller gave: they come for every request.
_OURS = {
    "InvalidAuthenticationInfo",
    "InvalidHeaderValue",
    "InvalidHttpVerb",
    "MissingRequiredHeader",
    "UnsupportedHeader",
    "UnsupportedHttpVerb",
}

_ENTRA_CODE = re.compile(r"AADSTS\d{1,9}")

# From the special to the general: the first that fits counts.
_EXCEPTIONS: tuple[tuple[type[Exception], StorageErrorCode], ...] = (
    (TimeoutError, StorageErrorCode.TIMEOUT),
    (ServiceRequestTimeoutError, StorageErrorCode.TIMEOUT),
    (ServiceResponseTimeoutError, StorageErrorCode.TIMEOUT),
    (ClientAuthenticationError, StorageErrorCode.ACCESS_DENIED),
    (DecodeError, StorageErrorCode.UNEXPECTED_RESPONSE),
    (ServiceRequestError, StorageErrorCode.UNREACHABLE),
    (ServiceResponseError, StorageErrorCode.UNREACHABLE),
    (OSError, StorageErrorCode.UNREACHABLE),
    (ClientConnectionError, StorageErrorCode.UNREACHABLE),  # aiohttp's, of a connection that ended before the answer
    (ClientPayloadError, StorageErrorCode.UNREACHABLE),  # the same, in the middle of the answer
)


def code_is_a_fault(code: str | None) -> bool:
    """Whether an error code means a fault whatever the HTTP status that it comes with."""
    return code in _CODES


def error_from_response(status: int, code: str | None) -> StorageError:
    """The fault that an answer of storage with this HTTP status and error code stands for."""
    by_status = _STATUSES.get(
        status,
        StorageErrorCode.SERVER_ERROR
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR
        else StorageErrorCode.UNEXPECTED_RESPONSE,
    )
    if status == HTTPStatus.BAD_REQUEST and code and code not in _OURS:  # without a code it is not storage that says so
        by_status = StorageErrorCode.REJECTED
    # A code comes from the other side and goes to the log: words only.
    safe_code = code if code and code.isascii() and code.isalnum() else "no error code"
    return StorageError(_CODES.get(code or "", by_status), f"HTTP {status}, {safe_code[:64]}")


def error_from_exception(error: Exception) -> StorageError:
    """The fault that an exception of the Azure SDKs, or from beneath them, stands for.

    Whatever else a client library raises while it reads an answer means that the answer made no sense.
    """
    if isinstance(error, StorageError):
        return error
    # An error's text may hold URLs, headers and tokens. Only codes are taken from it.
    entra = _ENTRA_CODE.search(str(error))
    suffix = f", {entra[0]}" if entra else ""
    if isinstance(error, HttpResponseError) and error.status_code:
        code = getattr(error, "error_code", None)
        code = getattr(code, "value", code)
        fault = error_from_response(error.status_code, code if isinstance(code, str) else None)
        return StorageError(fault.fault, fault.detail + suffix)
    kind = next((fault for kind, fault in _EXCEPTIONS if isinstance(error, kind)), StorageErrorCode.UNEXPECTED_RESPONSE)
    return StorageError(kind, type(error).__name__ + suffix)
