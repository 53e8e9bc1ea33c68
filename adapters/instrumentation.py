"""What can be seen of one account's storage from outside: each call, each read of a job, each signed link.

Whoever looks on gives `StorageOptions` a function from an account's name to such a watch. The one here sees nothing.
"""

import asyncio
import time
from http import HTTPStatus
from types import TracebackType
from typing import Literal, Self
from urllib.parse import parse_qsl, urlsplit

from azure.core.pipeline.transport import AioHttpTransport, AsyncHttpResponse, HttpRequest

from adapters.errors import StorageErrorCode, code_is_a_fault, error_from_exception, error_from_response

Service = Literal["table", "blob", "queue"]
StorageVerb = Literal["read", "list", "write", "delete", "sign"]
Source = Literal["remembered", "shared", "storage"]


class StorageObserver:
    """Looks on. Every method may not wait and must not raise; all but `signed` are called on the event loop."""

    def begin(self, _service: Service, _call: StorageVerb) -> object:
        """A call is sent to storage, each try of it; what this gives comes back with its end."""
        return None

    def end(
        self, begun: object, service: Service, call: StorageVerb, seconds: float, fault: StorageErrorCode | None
    ) -> None:
        """That call has ended, after so many seconds, in a fault or well."""

    def rejected(self) -> None:
        """A read was not tried: too many are in flight, or storage has just failed."""

    def read(self, source: Source) -> None:
        """A job or the job list was read: it was remembered, or another caller's read, or one of storage."""

    def signed(self) -> None:
        """A link was signed."""

    def malformed(self) -> None:
        """A row was found that can't be shown; called once for each such row."""


UNSEEN = StorageObserver()


def look_away(_account: str) -> StorageObserver:
    """The watch of an account that nobody looks at."""
    return UNSEEN


UNNEEDED = "no more needed"
"""What a task is cancelled with when nobody needs what it asks storage for: that is no fault of storage's."""

# Answers of storage that say how things are: not there, there already, changed meanwhile. No fault of storage's.
_ORDINARY = frozenset((HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED))


class ObservedCall:
    """One call, as a context: its time, and how it ended.

    A call that is cancelled was waited for too long, or nobody needs it any more.
    """

    __slots__ = ("_begun", "_call", "_service", "_started", "_watch", "fault")

    def __init__(self, watch: StorageObserver, service: Service, call: StorageVerb) -> None:
        self._watch, self._service, self._call = watch, service, call
        self.fault: StorageErrorCode | None = None

    def answered(self, status: int, code: str | None) -> None:
        """Tells of the HTTP status and the error code of the answer."""
        if status >= HTTPStatus.BAD_REQUEST and (status not in _ORDINARY or code_is_a_fault(code)):
            fault = error_from_response(status, code).fault
            self.fault = None if fault is StorageErrorCode.REJECTED else fault

    def __enter__(self) -> Self:
        """The call begins."""
        self._begun = self._watch.begin(self._service, self._call)
        self._started = time.perf_counter()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """The call has ended."""
        if isinstance(error, Exception):
            self.fault = error_from_exception(error).fault
        elif isinstance(error, asyncio.CancelledError) and UNNEEDED not in error.args:
            self.fault = StorageErrorCode.TIMEOUT
        self._watch.end(self._begun, self._service, self._call, time.perf_counter() - self._started, self.fault)


_CALLS: dict[str, StorageVerb] = {"GET": "read", "HEAD": "read", "DELETE": "delete"}


def call_of(method: str, url: str) -> StorageVerb:
    """What a request to storage does, by its method and its `comp` parameter; what is none of the others writes."""
    match dict(parse_qsl(urlsplit(url).query)).get("comp"):
        case "list":
            return "list"
        case "userdelegationkey":
            return "sign"
    return _CALLS.get(method, "write")


# Bytes of a download that are taken at once. The SDKs of storage give their own transport this; its default is 4 KB.
DATA_BLOCK = 256 * 1024


class InstrumentedTransport(AioHttpTransport):  # type: ignore[misc]  # azure-core imports it late, and so without its type
    """The transport of an SDK's client, with a watch on each request that it sends."""

    def __init__(
        self, watch: StorageObserver, service: Service, connection_timeout: float, read_timeout: float
    ) -> None:
        """Both timeouts in seconds."""
        super().__init__(
            connection_timeout=connection_timeout, read_timeout=read_timeout, connection_data_block_size=DATA_BLOCK
        )
        self._watch, self._service = watch, service

    async def send(self, request: HttpRequest, **config: object) -> AsyncHttpResponse:
        """Sends a request."""
        with ObservedCall(self._watch, self._service, call_of(request.method, request.url)) as seen:
            answer: AsyncHttpResponse = await super().send(request, **config)
            seen.answered(answer.status_code, answer.headers.get("x-ms-error-code"))
        return answer
