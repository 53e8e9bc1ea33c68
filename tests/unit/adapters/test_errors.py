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

from adapters.errors import StorageError, StorageErrorCode, error_from_exception, error_from_response


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
def test_an_answer_is_one_kind_of_fault(status: int, code: str | None, fault: StorageErrorCode) -> None:
    assert error_from_response(status, code).fault is fault


@pytest.mark.parametrize("code", ["https://host/?sig=abc", "a b", "é", "", None])
def test_a_code_that_is_no_word_stays_out_of_the_log(code: str | None) -> None:
    assert str(error_from_response(500, code)) == "failed: HTTP 500, no error code"


def test_a_code_is_told_but_not_at_any_length() -> None:
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
def test_an_exception_is_one_kind_of_fault_and_keeps_its_text_to_itself(
    error: Exception, fault: StorageErrorCode
) -> None:
    found = error_from_exception(error)
    assert found.fault is fault
    assert "sig" not in str(found)


@pytest.mark.parametrize("error_type", [HttpResponseError, ClientAuthenticationError, ResourceNotFoundError])
def test_an_http_error_is_judged_by_its_status_and_code(error_type: type[HttpResponseError]) -> None:
    error = error_type("https://host/?sig=abc")
    error.status_code = 503
    assert error_from_exception(error).fault is StorageErrorCode.THROTTLED
    assert "sig" not in str(error_from_exception(error))


def test_a_fault_stays_what_it_is() -> None:
    fault = StorageError(StorageErrorCode.TIMEOUT)
    assert error_from_exception(fault) is fault
    assert str(fault) == "timeout"


def test_every_fault_says_what_to_do() -> None:
    assert all(fault.value.name and fault.value.advice for fault in StorageErrorCode)
