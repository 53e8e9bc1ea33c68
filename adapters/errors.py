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
class FaultKind:
    """A kind of fault: its name for logs and what the operator should look at."""

    name: str
    advice: str


class Fault(Enum):
    """The kinds of fault, as a table."""

    UNREACHABLE = FaultKind("unreachable", "check the endpoint, DNS, firewall and private endpoint of this account")
    TIMEOUT = FaultKind("timeout", "storage did not answer in time; see its metrics, or allow it more")
    THROTTLED = FaultKind("throttled", "the storage account is at its limits; see its metrics")
    REFUSED = FaultKind("refused", "check this account's credential, its roles, and the storage firewall")
    NO_TABLE = FaultKind("no table", "create the table, or let this account's credential create it")
    NONSENSE = FaultKind("nonsense", "something that is not Table Storage answers at this endpoint")
    REJECTED = FaultKind("rejected", "storage is well: the request held a value that it does not take")
    BUSY = FaultKind("busy", "more requests wait for this account than may; its storage is slow, or add processes")
    FAILED = FaultKind("failed", "see Azure's service health for this account")
    CREDENTIAL = FaultKind("credential", "mend this account's storage entry")


class StorageFaultError(Exception):
    """Storage could not answer.

    The text is fit for a log: it holds no URL, header, key or signature.
    """

    def __init__(self, fault: Fault, detail: str = "") -> None:
        super().__init__(f"{fault.value.name}: {detail}" if detail else fault.value.name)
        self.fault = fault
        self.detail = detail


class ConflictError(Exception):
    """Another writer changed the row first."""


# Error codes of Table Storage that mean a kind of their own; the rest is judged by the HTTP status.
_CODES = {
    "TableNotFound": Fault.NO_TABLE,
    "TableBeingDeleted": Fault.NO_TABLE,
    "OperationTimedOut": Fault.TIMEOUT,
    "ServerBusy": Fault.THROTTLED,
}
_STATUSES = {
    401: Fault.REFUSED,
    403: Fault.REFUSED,
    408: Fault.TIMEOUT,
    413: Fault.REJECTED,
    414: Fault.REJECTED,
    429: Fault.THROTTLED,
    503: Fault.THROTTLED,
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
_EXCEPTIONS: tuple[tuple[type[Exception], Fault], ...] = (
    (TimeoutError, Fault.TIMEOUT),
    (ServiceRequestTimeoutError, Fault.TIMEOUT),
    (ServiceResponseTimeoutError, Fault.TIMEOUT),
    (ClientAuthenticationError, Fault.REFUSED),
    (DecodeError, Fault.NONSENSE),
    (ServiceRequestError, Fault.UNREACHABLE),
    (ServiceResponseError, Fault.UNREACHABLE),
    (OSError, Fault.UNREACHABLE),
    (ClientConnectionError, Fault.UNREACHABLE),  # aiohttp's, of a connection that ended before the answer
    (ClientPayloadError, Fault.UNREACHABLE),  # the same, in the middle of the answer
)


def code_is_a_fault(code: str | None) -> bool:
    """Whether an error code means a fault whatever the HTTP status that it comes with."""
    return code in _CODES


def fault_of_answer(status: int, code: str | None) -> StorageFaultError:
    """The fault that an answer of storage with this HTTP status and error code stands for."""
    by_status = _STATUSES.get(status, Fault.FAILED if status >= HTTPStatus.INTERNAL_SERVER_ERROR else Fault.NONSENSE)
    if status == HTTPStatus.BAD_REQUEST and code and code not in _OURS:  # without a code it is not storage that says so
        by_status = Fault.REJECTED
    # A code comes from the other side and goes to the log: words only.
    safe_code = code if code and code.isascii() and code.isalnum() else "no error code"
    return StorageFaultError(_CODES.get(code or "", by_status), f"HTTP {status}, {safe_code[:64]}")


def fault_of_exception(error: Exception) -> StorageFaultError:
    """The fault that an exception of the Azure SDKs, or from beneath them, stands for.

    Whatever else a client library raises while it reads an answer means that the answer made no sense.
    """
    if isinstance(error, StorageFaultError):
        return error
    # An error's text may hold URLs, headers and tokens. Only codes are taken from it.
    entra = _ENTRA_CODE.search(str(error))
    suffix = f", {entra[0]}" if entra else ""
    if isinstance(error, HttpResponseError) and error.status_code:
        code = getattr(error, "error_code", None)
        code = getattr(code, "value", code)
        fault = fault_of_answer(error.status_code, code if isinstance(code, str) else None)
        return StorageFaultError(fault.fault, fault.detail + suffix)
    kind = next((fault for kind, fault in _EXCEPTIONS if isinstance(error, kind)), Fault.NONSENSE)
    return StorageFaultError(kind, type(error).__name__ + suffix)
