"""What an observed call of storage reports: a fault, or none."""

import asyncio

import pytest

from adapters.errors import StorageErrorCode
from adapters.instrumentation import ObservedCall, Service, StorageObserver, StorageVerb, storage_verb


class Told(StorageObserver):
    """Keeps the faults that calls ended in."""

    def __init__(self) -> None:
        self.faults: list[StorageErrorCode | None] = []

    def end_call(
        self, begun: object, service: Service, call: StorageVerb, seconds: float, fault: StorageErrorCode | None
    ) -> None:
        """Keeps one."""
        assert (begun, service, call) == (None, "table", "read")
        assert seconds >= 0
        self.faults.append(fault)


@pytest.mark.parametrize(
    ("status", "code", "fault"),
    [
        (200, None, None),
        (304, "ConditionNotMet", None),
        (404, "ResourceNotFound", None),
        (404, "TableNotFound", StorageErrorCode.NO_TABLE),
        (404, None, None),
        (409, "EntityAlreadyExists", None),
        (412, "UpdateConditionNotSatisfied", None),
        (400, "InvalidInput", None),
        (400, "InvalidHeaderValue", StorageErrorCode.UNEXPECTED_RESPONSE),
        (403, "AuthorizationFailure", StorageErrorCode.ACCESS_DENIED),
        (429, None, StorageErrorCode.THROTTLED),
        (500, "OperationTimedOut", StorageErrorCode.TIMEOUT),
        (503, "ServerBusy", StorageErrorCode.THROTTLED),
    ],
)
def test_an_answer_is_a_fault_where_storage_is_at_fault(
    status: int, code: str | None, fault: StorageErrorCode | None
) -> None:
    told = Told()
    with ObservedCall(told, "table", "read") as call:
        call.set_response(status, code)
    assert told.faults == [fault]


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (ConnectionRefusedError(), StorageErrorCode.UNREACHABLE),
        (TimeoutError(), StorageErrorCode.TIMEOUT),
        (asyncio.CancelledError(), StorageErrorCode.TIMEOUT),
        (ValueError(), StorageErrorCode.UNEXPECTED_RESPONSE),
    ],
)
def test_a_call_without_an_answer_is_a_fault(error: BaseException, fault: StorageErrorCode) -> None:
    told = Told()
    with pytest.raises(type(error)), ObservedCall(told, "table", "read"):
        raise error
    assert told.faults == [fault]


@pytest.mark.parametrize(
    ("method", "url", "call"),
    [
        ("GET", "https://a.blob.core.windows.net/c/b?sig=x", "read"),
        ("HEAD", "https://a.blob.core.windows.net/c/b", "read"),
        ("GET", "https://a.blob.core.windows.net/c?restype=container&comp=list", "list"),
        ("GET", "https://a.queue.core.windows.net/q?comp=metadata", "read"),
        ("POST", "https://a.blob.core.windows.net/?restype=service&comp=userdelegationkey", "sign"),
        ("PUT", "https://a.blob.core.windows.net/c/b?comp=block", "write"),
        ("POST", "https://a.table.core.windows.net/$batch", "write"),
        ("MERGE", "https://a.table.core.windows.net/t(k)", "write"),
        ("DELETE", "https://a.queue.core.windows.net/q/messages/1?popreceipt=x", "delete"),
    ],
)
def test_requests_to_storage_have_a_word_each(method: str, url: str, call: str) -> None:
    assert storage_verb(method, url) == call
