"""Observer interface for one account's storage: each call, each cache look-up, each signed link."""

import asyncio
import time
from types import TracebackType
from typing import Literal, Self
from urllib.parse import parse_qsl, urlsplit

from azure.core.pipeline.transport import AioHttpTransport, AsyncHttpResponse, HttpRequest

from adapters.errors import StorageErrorCode, failure_of_response
from adapters.request_coalescing import NO_LONGER_NEEDED
from adapters.sdk_calls import error_from_exception

Service = Literal["table", "blob", "queue"]
StorageVerb = Literal["read", "list", "write", "delete", "sign"]
CacheResult = Literal["hit", "coalesced", "miss"]


class StorageObserver:
    """Ignores all events. Methods must not block or raise; all but `link_signed` run on the event loop."""

    def begin_call(self, _service: Service, _verb: StorageVerb) -> object:
        """A call starts, each attempt of it. The result is passed to `end_call`."""
        return None

    def end_call(
        self, begun: object, service: Service, verb: StorageVerb, seconds: float, failure: StorageErrorCode | None
    ) -> None:
        """That call has ended after so many seconds; `failure` is None where storage is well."""

    def call_rejected(self) -> None:
        """The circuit breaker rejected a call: too many are in flight, or storage has just failed."""

    def cache_lookup(self, result: CacheResult) -> None:
        """A job or the job list came from the cache, from another caller's read, or from a read of its own."""

    def link_signed(self) -> None:
        """A link was signed."""

    def malformed_row(self) -> None:
        """A row can't be shown; called once for each such row."""


NULL_OBSERVER = StorageObserver()


def null_observer(_account: str) -> StorageObserver:
    """The observer of an account that nothing observes."""
    return NULL_OBSERVER


class ObservedCall:
    """One call, as a context that measures it and reports its end. A cancelled call took too long, as a rule."""

    __slots__ = ("_begun", "_observer", "_service", "_started", "_verb", "failure")

    def __init__(self, observer: StorageObserver, service: Service, verb: StorageVerb) -> None:
        self._observer, self._service, self._verb = observer, service, verb
        self.failure: StorageErrorCode | None = None

    def set_response(self, status: int, code: str | None) -> None:
        """Records the HTTP status and the error code of the response."""
        self.failure = failure_of_response(status, code)

    def __enter__(self) -> Self:
        """Starts the call."""
        self._begun = self._observer.begin_call(self._service, self._verb)
        self._started = time.perf_counter()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Ends the call."""
        if isinstance(error, Exception):
            self.failure = error_from_exception(error).code
        elif isinstance(error, asyncio.CancelledError) and NO_LONGER_NEEDED not in error.args:
            self.failure = StorageErrorCode.TIMEOUT
        seconds = time.perf_counter() - self._started
        self._observer.end_call(self._begun, self._service, self._verb, seconds, self.failure)


_VERBS: dict[str, StorageVerb] = {"GET": "read", "HEAD": "read", "DELETE": "delete"}


def storage_verb(method: str, url: str) -> StorageVerb:
    """What a request to storage does, by its method and its `comp` parameter; all others write."""
    match dict(parse_qsl(urlsplit(url).query)).get("comp"):
        case "list":
            return "list"
        case "userdelegationkey":
            return "sign"
    return _VERBS.get(method, "write")


# Bytes that a download reads at once. The SDKs set this for their own transport; its default is 4 KB.
DATA_BLOCK = 256 * 1024


class InstrumentedTransport(AioHttpTransport):  # type: ignore[misc]  # azure-core imports it late, and so without its type
    """The transport of an SDK client; reports each request that it sends."""

    def __init__(
        self, observer: StorageObserver, service: Service, connection_timeout: float, read_timeout: float
    ) -> None:
        """Both timeouts are in seconds."""
        super().__init__(
            connection_timeout=connection_timeout, read_timeout=read_timeout, connection_data_block_size=DATA_BLOCK
        )
        self._observer, self._service = observer, service

    async def send(self, request: HttpRequest, **config: object) -> AsyncHttpResponse:
        """Sends a request."""
        with ObservedCall(self._observer, self._service, storage_verb(request.method, request.url)) as call:
            response: AsyncHttpResponse = await super().send(request, **config)
            call.set_response(response.status_code, response.headers.get("x-ms-error-code"))
        return response
