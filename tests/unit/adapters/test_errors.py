"""What went wrong with storage, in one vocabulary, without a URL or a secret."""

import pytest
from aiohttp import ClientPayloadError, ServerDisconnectedError
from azure.core.exceptions import (
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)

from adapters.errors import StorageError, StorageErrorCode, error_from_response
from adapters.sdk_calls import error_from_exception


@pytest.mark.parametrize(
    ("status", "code", "fault"),
    [
        (400, "InvalidInput", StorageErrorCode.REJECTED),
        (400, "PropertyValueTooLarge", StorageErrorCode.REJECTED),
        (400, "InvalidAuthenticationInfo", StorageErrorCode.UNEXPECTED_RESPONSE),
        (400, None, StorageErrorCode.UNEXPECTED_RESPONSE),
        (413, "RequestBodyTooLarge", StorageErrorCode.REJECTED),
        (401, None, StorageErrorCode.ACCESS_DENIED),
        (403, "AuthenticationFailed", StorageErrorCode.ACCESS_DENIED),
        (404, "TableNotFound", StorageErrorCode.NO_TABLE),
        (404, None, StorageErrorCode.UNEXPECTED_RESPONSE),
        (408, None, StorageErrorCode.TIMEOUT),
        (409, "TableBeingDeleted", StorageErrorCode.NO_TABLE),
        (429, None, StorageErrorCode.THROTTLED),
        (500, "OperationTimedOut", StorageErrorCode.TIMEOUT),
        (500, "InternalError", StorageErrorCode.SERVER_ERROR),
        (503, "ServerBusy", StorageErrorCode.THROTTLED),
        (503, None, StorageErrorCode.THROTTLED),
        (504, None, StorageErrorCode.SERVER_ERROR),
        (200, None, StorageErrorCode.UNEXPECTED_RESPONSE),
        (301, None, StorageErrorCode.UNEXPECTED_RESPONSE),
        (418, "Teapot", StorageErrorCode.UNEXPECTED_RESPONSE),
    ],
)
def test_response_maps_to_one_code(status: int, code: str | None, fault: StorageErrorCode) -> None:
    assert error_from_response(status, code).code is fault


@pytest.mark.parametrize("code", ["https://host/?sig=abc", "a b", "é", "", None])
def test_odd_error_code_stays_out_of_the_text(code: str | None) -> None:
    assert str(error_from_response(500, code)) == "failed: HTTP 500, no error code"


def test_error_code_is_in_the_text_and_cut() -> None:
    assert str(error_from_response(500, "InternalError")) == "failed: HTTP 500, InternalError"
    assert len(str(error_from_response(500, "x" * 10_000))) < 100


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (TimeoutError("sig=abc"), StorageErrorCode.TIMEOUT),
        (ServiceRequestTimeoutError("sig=abc"), StorageErrorCode.TIMEOUT),
        (ServiceResponseTimeoutError("sig=abc"), StorageErrorCode.TIMEOUT),
        (ClientAuthenticationError("sig=abc"), StorageErrorCode.ACCESS_DENIED),
        (DecodeError("sig=abc"), StorageErrorCode.UNEXPECTED_RESPONSE),
        (ServerDisconnectedError("sig=abc"), StorageErrorCode.UNREACHABLE),
        (ClientPayloadError("sig=abc"), StorageErrorCode.UNREACHABLE),
        (ServiceRequestError("sig=abc"), StorageErrorCode.UNREACHABLE),
        (ServiceResponseError("sig=abc"), StorageErrorCode.UNREACHABLE),
        (ConnectionRefusedError("sig=abc"), StorageErrorCode.UNREACHABLE),
        (HttpResponseError("sig=abc"), StorageErrorCode.UNEXPECTED_RESPONSE),
        (KeyError("sig=abc"), StorageErrorCode.UNEXPECTED_RESPONSE),
    ],
    ids=lambda value: type(value).__name__,
)
def test_exception_maps_to_one_code_without_its_text(error: Exception, fault: StorageErrorCode) -> None:
    found = error_from_exception(error)
    assert found.code is fault
    assert "sig" not in str(found)


@pytest.mark.parametrize("error_type", [HttpResponseError, ClientAuthenticationError, ResourceNotFoundError])
def test_http_error_maps_by_status(error_type: type[HttpResponseError]) -> None:
    error = error_type("https://host/?sig=abc")
    error.status_code = 503
    assert error_from_exception(error).code is StorageErrorCode.THROTTLED
    assert "sig" not in str(error_from_exception(error))


def test_storage_error_stays_unchanged() -> None:
    fault = StorageError(StorageErrorCode.TIMEOUT)
    assert error_from_exception(fault) is fault
    assert str(fault) == "timeout"


def test_every_code_has_a_name_and_a_hint() -> None:
    assert all(fault.value.name and fault.value.hint for fault in StorageErrorCode)
