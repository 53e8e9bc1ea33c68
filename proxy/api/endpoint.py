"""The way of every legacy request: path, key, parameters, storage, response, log line."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache, partial
from http import HTTPStatus
from random import getrandbits
from zoneinfo import ZoneInfo

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from adapters.errors import StorageError, StorageErrorCode
from adapters.model.usage import DIGEST_DIGITS
from adapters.tables.properties import MalformedRowError
from proxy.api.authenticate import Authenticator
from proxy.api.context import CallContext, authorize, storage_deadline
from proxy.api.cors import PREFLIGHT, preflight
from proxy.api.handlers.data_source_jobs import (
    create_access,
    create_delete,
    create_download,
    create_publish,
    create_rollback,
)
from proxy.api.handlers.data_sources import all_metadata, data_sources, metadata, one_data_source, public_data_sources
from proxy.api.handlers.geocode import create_geocode
from proxy.api.handlers.jobs import job_list, job_output, job_status
from proxy.api.handlers.load import create_load
from proxy.api.health import Readiness
from proxy.api.landing_page import LANDING_PAGE, asks_for_landing_page, render_landing_page
from proxy.api.query_service import QueryService, wrap_error
from proxy.api.request_body import RequestBody
from proxy.api.response_cache import CachedResponse, ResponseCache
from proxy.api.responses import JobsResult, ResponseFactory, Result
from proxy.api.shadow import ShadowSender
from proxy.api.shielded_tasks import ShieldedTasks, Uploads
from proxy.keyring.keyring import KeyGrant, KeyRing
from proxy.keyring.lookup import KeyEntry, KeyStoreUnavailableError, RevokedKeyError, UnreadableKeyError
from proxy.keyring.reload import ActiveKeyRing
from proxy.observability.fault_log import RateLimitedErrorLog
from proxy.observability.request_observer import RequestObserver
from proxy.observability.request_trace import CURRENT, RequestTrace
from proxy.settings import Settings
from proxy.wire.envelope import Branding
from proxy.wire.errors import ApiError, ErrorCode
from proxy.wire.request import ApiCall, QueryParameters, parse_path, parse_query, redact_path
from proxy.wire.routes import Operation

log = logging.getLogger("proxy.request")

Handler = Callable[[ApiCall, CallContext], Awaitable[Result]]

HANDLERS: dict[Operation, Handler] = {
    Operation.JOB_STATUS: job_status,
    Operation.JOB_LIST: job_list,
    Operation.JOB_OUTPUT: job_output,
    Operation.LOAD: create_load,
    Operation.GEOCODE: create_geocode,
    Operation.DOWNLOAD: create_download,
    Operation.ROLLBACK: create_rollback,
    Operation.PUBLISH: create_publish,
    Operation.ACCESS: create_access,
    Operation.DELETE: create_delete,
    Operation.DATA_SOURCES: data_sources,
    Operation.DATA_SOURCE: one_data_source,
    Operation.ALL_METADATA: all_metadata,
    Operation.METADATA: metadata,
    Operation.PUBLIC_DATA_SOURCES: public_data_sources,
}

# These take as long as their body, so their handlers set the deadlines of their own work with storage.
OWN_DEADLINES = frozenset((Operation.LOAD, Operation.GEOCODE))

CACHED = frozenset((Operation.JOB_STATUS, Operation.JOB_LIST))

# Resources that the event loop renders itself. More would hold up all other requests.
MAX_INLINE_RESOURCES = 100


@dataclass(frozen=True, slots=True)
class _Request:
    """A request on its way through the endpoint."""

    scope: Scope
    body: RequestBody
    base: str
    spelling: bytes
    query: QueryParameters
    trace: RequestTrace


class LegacyApi:
    """The ASGI application of everything under /REST/v1/, and of every path that does not exist.

    It never raises, whatever a request, a row or storage does. An unforeseen error is a 500 envelope, and the log has
    its details under the traceId.
    """

    def __init__(
        self, settings: Settings, ring: ActiveKeyRing, readiness: Readiness, observer: RequestObserver
    ) -> None:
        self._settings = settings
        self._ring = ring
        self._readiness = readiness
        self._observer = observer
        self._authenticator = Authenticator(
            ring, settings.storage_timeout, trusts_proxies=bool(settings.trusted_proxies)
        )
        self._cache = ResponseCache()
        self._rendering: dict[str, asyncio.Lock] = {}
        self._error_log = RateLimitedErrorLog()
        self.shielded_tasks = ShieldedTasks()
        self._uploads = Uploads()
        self.queries = QueryService(settings)
        branding = Branding(settings.copyright, settings.brand_logo_url)
        self._shadow = ShadowSender(settings, observer.count_shadow) if settings.shadow_url else None
        self._responses = ResponseFactory(branding, ZoneInfo(settings.time_zone))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Responds to one request."""
        started = time.perf_counter()
        self._readiness.record_request()
        base = self._build_base(scope)
        spelling = self._cache.spelling_of(scope, base)
        cached = self._cache.get_by_spelling(spelling, self._ring.keyring, time.monotonic())
        if cached is not None:
            trace_id = _new_trace_id()
            cached.observer.observe(trace_id, scope, started)  # before the client reads it, like any other
            status, headers, content = HTTPStatus.OK.value, cached.headers, cached.render(trace_id)
            await _send_response(send, status, headers, content)
            if self._shadow is not None:
                self._shadow.offer(scope, cached.operation, cached.key.grant, trace_id, status, headers, content)
            return
        query = parse_query(scope["query_string"])
        path = redact_path(scope["raw_path"], partial(self._is_key, query)) + ("?key=***" if query.key else "")
        trace = RequestTrace(_new_trace_id(), scope["method"], path)
        CURRENT.set(trace)
        self._observer.begin(trace, scope, started)
        if scope["method"] == "OPTIONS" and self._settings.cors_origins:
            trace.operation, response = PREFLIGHT, preflight(scope)
        elif asks_for_landing_page(scope):
            trace.operation, response = LANDING_PAGE, render_landing_page()
        else:
            body = RequestBody(scope, receive)
            response = await self._respond(_Request(scope, body, base, spelling, query, trace))
        self._observer.end(trace, response.status_code, started)
        status, headers, content = response.status_code, response.raw_headers, bytes(response.body)
        await _send_response(send, status, headers, content)
        if self._shadow is not None:
            self._shadow.offer(scope, trace.operation, trace.grant, trace.trace_id, status, headers, content)

    async def _respond(self, request: _Request) -> Response:
        trace = request.trace
        try:
            return await self._respond_with_result(request)
        except ApiError as raised:
            error = raised
        except RevokedKeyError as raised:
            trace.key, error = raised.name, ApiError(ErrorCode.REVOKED_KEY)
        except KeyStoreUnavailableError as raised:
            self._error_log.log_unchecked_key(trace)
            error = ApiError(ErrorCode.KEY_STORE_UNAVAILABLE, retry_after=raised.retry_after)
        except UnreadableKeyError:
            error = ApiError(ErrorCode.UNREADABLE_KEY)
        except MalformedRowError as raised:
            # The adapter logs a row once, but each response promises details under its traceId.
            log.warning("%s", raised, extra={"trace_id": trace.trace_id, "account": trace.account})
            error = ApiError(ErrorCode.CORRUPT_RECORD)
        except StorageError as raised:
            self._error_log.log(raised, trace)
            is_rejected = raised.code is StorageErrorCode.REJECTED
            error = ApiError(ErrorCode.REJECTED if is_rejected else ErrorCode.STORAGE_UNAVAILABLE)
        except Exception:
            log.exception("unforeseen error", extra={"trace_id": trace.trace_id})
            error = ApiError(ErrorCode.INTERNAL_ERROR)
        trace.error = error.code.name
        self._observer.request_refused(error.code)
        response = self._responses.from_error(error, request.query.format, trace.trace_id)
        is_query = trace.operation == Operation.QUERY.value and self._settings.queries
        return wrap_error(response, request.query) if is_query else response

    async def _respond_with_result(self, request: _Request) -> Response:
        scope, query, trace = request.scope, request.query, request.trace
        call = parse_path(scope["raw_path"], scope["method"])
        trace.operation = call.operation.value
        attempt = await self._authenticator.admit(query.key, scope)
        # The ring of before the look-up: where another takes its place meanwhile, the response is not repeated.
        keyring, started = self._ring.keyring, asyncio.get_running_loop().time()
        key = await self._authenticator.find(attempt)
        grant = key.grant
        trace.account, trace.key, trace.grant = grant.account, grant.name, grant
        trace.digest = attempt.digest.hex()[:DIGEST_DIGITS]
        trace.data_source = query.parameters.get("datasourcename") if call.operation is Operation.LOAD else call.name
        authorize(call, grant, query, queries=self._settings.queries)
        context = self._build_context(request, grant)
        cache_key = self._cache.cache_key(scope, request.base, query, call)
        if call.operation in CACHED:
            self._cache.add_spelling(request.spelling, cache_key)
            cached = self._cache.get(cache_key, keyring, time.monotonic(), key=key)
            if cached is not None:
                context.account.circuit_breaker.observer.cache_lookup("hit")
                return self._responses.from_rendered(cached.render(trace.trace_id), query.format)
        if call.operation in OWN_DEADLINES:
            result = await self._handle(call, context)
        else:
            async with storage_deadline(self._settings.storage_timeout, started):
                result = await self._handle(call, context)
        if not isinstance(result, JobsResult):
            return self._responses.from_result(result, query.format, trace.trace_id)
        cached = await self._render_once(request, result, cache_key, keyring, key)
        return self._responses.from_rendered(cached.render(trace.trace_id), query.format)

    async def _handle(self, call: ApiCall, context: CallContext) -> Result:
        if call.operation is Operation.QUERY:
            return await self.queries.answer(call, context)
        return await HANDLERS[call.operation](call, context)

    async def _render_once(
        self, request: _Request, result: JobsResult, cache_key: bytes, keyring: KeyRing, key: KeyEntry
    ) -> CachedResponse:
        """The rendered result, from the cache where the record is unchanged or a concurrent request has rendered it."""
        trace = request.trace
        render = partial(self._responses.from_result, result, request.query.format, trace.trace_id)
        is_large = result.size > MAX_INLINE_RESOURCES
        # One large rendering at a time for each account: a waiting request may find its own done.
        lock = self._rendering.setdefault(key.grant.account, asyncio.Lock()) if is_large else nullcontext()
        async with lock:
            cached = self._cache.get(cache_key, keyring, time.monotonic(), result.cache_entry, key)
            if cached is not None:
                return cached
            response = await asyncio.to_thread(render) if is_large else render()
            before, after = bytes(response.body).split(trace.trace_id.encode(), 1)
            cached = CachedResponse(
                before,
                after,
                _share_headers(tuple(response.raw_headers)),
                self._observer.for_cached(trace, response.status_code),
                keyring,
                key,
                result.cache_entry,
                result.links_until(),
                trace.operation,
            )
            self._cache.put(cache_key, cached)
            return cached

    def _is_key(self, query: QueryParameters, text: str) -> bool:
        """Whether a part of a path is a key. That of the request itself may not have been looked up yet."""
        return text.encode("utf-8", "surrogatepass") in {query.key, query.query_key} or self._ring.keys.is_key(text)

    def _build_base(self, scope: Scope) -> str:
        """The base of the links that stay on the proxy."""
        url = self._settings.public_url
        if self._settings.link_scheme == "public":
            return url
        # Some gateways call it wss where the client asks for a web socket.
        scheme = "https" if scope["scheme"] in {"https", "wss"} else "http"
        return scheme + url[url.index(":") :]

    def _build_context(self, request: _Request, grant: KeyGrant) -> CallContext:
        async def has_key(key: bytes) -> bool:
            return await self._authenticator.belongs_to(grant.account, key, request.scope)

        return CallContext(
            grant,
            request.base,
            self._ring.accounts,
            self._settings,
            request.query,
            request.body,
            self.shielded_tasks,
            self._uploads,
            has_key,
        )


async def _send_response(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _new_trace_id() -> str:
    """Returns 32 hex digits. A traceId is no secret; asking the system for random bytes costs a 20th of a poll."""
    return f"{getrandbits(128):032x}"


@lru_cache(maxsize=1_000)
def _share_headers(headers: tuple[tuple[bytes, bytes], ...]) -> list[tuple[bytes, bytes]]:
    """Returns one list for equal headers. Most responses share them, and a list takes 600 bytes."""
    return list(headers)
