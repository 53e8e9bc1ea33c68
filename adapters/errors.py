"""Storage errors in one vocabulary. Imports nothing of Azure; `sdk_calls.py` translates the SDKs' exceptions.

Callers need three things only: that storage could not answer, a text fit for a log, and a hint for the operator.
"""

from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus


@dataclass(frozen=True, slots=True)
class StorageErrorKind:
    """A kind of error: its name in logs and metrics, and what the operator should look at."""

    name: str
    hint: str


class StorageErrorCode(Enum):
    """The kinds of error."""

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
    """Storage could not answer. The text is fit for a log: it holds no URL, header, key or signature."""

    def __init__(self, code: StorageErrorCode, detail: str = "") -> None:
        super().__init__(f"{code.value.name}: {detail}" if detail else code.value.name)
        self.code = code
        self.detail = detail


class ConflictError(Exception):
    """Another writer changed the row first."""


class NameTakenError(Exception):
    """Another key has the name. `digest` is that key's."""

    def __init__(self, name: str, digest: str) -> None:
        super().__init__(f"the name {name!r} belongs to the key sha256:{digest[:12]}")
        self.name, self.digest = name, digest


class AnnouncementError(Exception):
    """A key row was changed, and the change could not be announced. The text says why."""


# Error codes of Table Storage that mean a kind of their own. The HTTP status decides for all others.
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

# Codes of a 400 that are about this program's requests, not about a caller's value: every request gets them.
_OUR_FAULT = {
    "InvalidAuthenticationInfo",
    "InvalidHeaderValue",
    "InvalidHttpVerb",
    "MissingRequiredHeader",
    "UnsupportedHeader",
    "UnsupportedHttpVerb",
}

# Responses that describe the state of a row or blob: missing, already there, changed meanwhile.
_ORDINARY = frozenset((HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED))


def error_from_response(status: int, code: str | None) -> StorageError:
    """The error that a response of storage with this HTTP status and error code stands for."""
    kind = _CODES.get(code or "") or _STATUSES.get(status)
    if kind is None and status == HTTPStatus.BAD_REQUEST and code and code not in _OUR_FAULT:
        kind = StorageErrorCode.REJECTED  # without a code, something other than storage responds
    if kind is None:
        is_server_error = status >= HTTPStatus.INTERNAL_SERVER_ERROR
        kind = StorageErrorCode.SERVER_ERROR if is_server_error else StorageErrorCode.UNEXPECTED_RESPONSE
    # A code comes from the network and goes to the log: words only.
    safe_code = code if code and code.isascii() and code.isalnum() else "no error code"
    return StorageError(kind, f"HTTP {status}, {safe_code[:64]}")


def failure_of_response(status: int, code: str | None) -> StorageErrorCode | None:
    """The kind of storage failure that a response stands for; None where storage is well."""
    if status < HTTPStatus.BAD_REQUEST or (status in _ORDINARY and code not in _CODES):
        return None
    kind = error_from_response(status, code).code
    return None if kind is StorageErrorCode.REJECTED else kind
