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

from adapters.errors import Fault, StorageFaultError, fault_of_answer, fault_of_exception


@pytest.mark.parametrize(
    ("status", "code", "fault"),
    [
        (400, "InvalidInput", Fault.REJECTED),
        (400, "PropertyValueTooLarge", Fault.REJECTED),
        (400, "InvalidAuthenticationInfo", Fault.NONSENSE),
        (400, None, Fault.NONSENSE),
        (413, "RequestBodyTooLarge", Fault.REJECTED),
        (401, None, Fault.REFUSED),
        (403, "AuthenticationFailed", Fault.REFUSED),
        (404, "TableNotFound", Fault.NO_TABLE),
        (404, None, Fault.NONSENSE),
        (408, None, Fault.TIMEOUT),
        (409, "TableBeingDeleted", Fault.NO_TABLE),
        (429, None, Fault.THROTTLED),
        (500, "OperationTimedOut", Fault.TIMEOUT),
        (500, "InternalError", Fault.FAILED),
        (503, "ServerBusy", Fault.THROTTLED),
        (503, None, Fault.THROTTLED),
        (504, None, Fault.FAILED),
        (200, None, Fault.NONSENSE),
        (301, None, Fault.NONSENSE),
        (418, "Teapot", Fault.NONSENSE),
    ],
)
def test_an_answer_is_one_kind_of_fault(status: int, code: str | None, fault: Fault) -> None:
    assert fault_of_answer(status, code).fault is fault


@pytest.mark.parametrize("code", ["https://host/?sig=abc", "a b", "é", "", None])
def test_a_code_that_is_no_word_stays_out_of_the_log(code: str | None) -> None:
    assert str(fault_of_answer(500, code)) == "failed: HTTP 500, no error code"


def test_a_code_is_told_but_not_at_any_length() -> None:
    assert str(fault_of_answer(500, "InternalError")) == "failed: HTTP 500, InternalError"
    assert len(str(fault_of_answer(500, "x" * 10_000))) < 100


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (TimeoutError("sig=abc"), Fault.TIMEOUT),
        (ServiceRequestTimeoutError("sig=abc"), Fault.TIMEOUT),
        (ServiceResponseTimeoutError("sig=abc"), Fault.TIMEOUT),
        (ClientAuthenticationError("sig=abc"), Fault.REFUSED),
        (DecodeError("sig=abc"), Fault.NONSENSE),
        (ServerDisconnectedError("sig=abc"), Fault.UNREACHABLE),
        (ClientPayloadError("sig=abc"), Fault.UNREACHABLE),
        (ServiceRequestError("sig=abc"), Fault.UNREACHABLE),
        (ServiceResponseError("sig=abc"), Fault.UNREACHABLE),
        (ConnectionRefusedError("sig=abc"), Fault.UNREACHABLE),
        (HttpResponseError("sig=abc"), Fault.NONSENSE),
        (KeyError("sig=abc"), Fault.NONSENSE),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_exception_is_one_kind_of_fault_and_keeps_its_text_to_itself(error: Exception, fault: Fault) -> None:
    found = fault_of_exception(error)
    assert found.fault is fault
    assert "sig" not in str(found)


@pytest.mark.parametrize("error_type", [HttpResponseError, ClientAuthenticationError, ResourceNotFoundError])
def test_an_http_error_is_judged_by_its_status_and_code(error_type: type[HttpResponseError]) -> None:
    error = error_type("https://host/?sig=abc")
    error.status_code = 503
    assert fault_of_exception(error).fault is Fault.THROTTLED
    assert "sig" not in str(fault_of_exception(error))


def test_a_fault_stays_what_it_is() -> None:
    fault = StorageFaultError(Fault.TIMEOUT)
    assert fault_of_exception(fault) is fault
    assert str(fault) == "timeout"


def test_every_fault_says_what_to_do() -> None:
    assert all(fault.value.name and fault.value.advice for fault in Fault)
