"""The one way that every legacy request goes: path, key, parameters, storage, answer, log line."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from http import HTTPStatus
from zoneinfo import ZoneInfo

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from adapters.errors import StorageError, StorageErrorCode
from adapters.tables.properties import MalformedRowError
from proxy.api.auth_throttle import AuthThrottle
from proxy.api.context import CallContext, authorize
from proxy.api.cors import PREFLIGHT, preflight
from proxy.api.deadlines import storage_deadline
from proxy.api.handlers.data_source_jobs import (
    create_access,
    create_delete,
    create_download,
    create_publish,
    create_rollback,
)
from proxy.api.handlers.data_sources import all_metadata, data_sources, metadata, one_data_source, public_data_sources
from proxy.api.handlers.jobs import job_list, job_output, job_status
from proxy.api.handlers.load import create_load
from proxy.api.readiness import Readiness
from proxy.api.request_body import RequestBody
from proxy.api.response_cache import CachedResponse, CacheValidity, ResponseCache
from proxy.api.responses import Accepted, JobsResult, RawDocument, Redirect, ResponseFactory, Result
from proxy.api.shielded_tasks import ShieldedTasks, Uploads
from proxy.keyring.keyring import KeyGrant, KeyRing, digest_of
from proxy.keyring.reload import ActiveKeyRing
from proxy.observability.access_log import AccessLog
from proxy.observability.fault_log import RateLimitedErrorLog
from proxy.observability.request_observer import RequestObserver
from proxy.observability.request_trace import CURRENT, RequestTrace
from proxy.observability.trace_ids import new_trace_id
from proxy.server.response_transport import write_answer
from proxy.settings import Settings
from proxy.wire.create_response import CreatedJob
from proxy.wire.envelope import Branding
from proxy.wire.errors import ApiError, ErrorCode
from proxy.wire.request import ApiCall, Format, QueryParameters, parse_path, parse_query, redact_path
from proxy.wire.routes import Operation

log = logging.getLogger("proxy.request")

Handler = Callable[[ApiCall, CallContext], Awaitable[Result]]

HANDLERS: dict[Operation, Handler] = {
    Operation.JOB_STATUS: job_status,
    Operation.JOB_LIST: job_list,
    Operation.JOB_OUTPUT: job_output,
    Operation.LOAD: create_load,
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

# A load takes as long as its body: it keeps the deadlines of its own work with storage itself.
OWN_DEADLINES = frozenset((Operation.LOAD,))

# Whose answers may be given again.
REMEMBERED = frozenset((Operation.JOB_STATUS, Operation.JOB_LIST))

# Resources that are rendered at once; more would keep all other requests waiting.
AT_ONCE = 100


class LegacyApi:
    """The ASGI application of everything under /REST/v1/, and of every path that does not exist.

    Nothing that a request, a row or storage does makes it raise: what nobody foresaw is a 500 envelope, and its
    details are in the log under the traceId.
    """

    def __init__(
        self, settings: Settings, ring: ActiveKeyRing, readiness: Readiness, watch: RequestObserver | None = None
    ) -> None:
        self._settings = settings
        self._ring = ring
        self._readiness = readiness
        self._watch = watch
        self._guessing = AuthThrottle()
        self._said = ResponseCache()
        self._rendering: dict[str, asyncio.Lock] = {}
        self._requests = AccessLog()
        self._faults = RateLimitedErrorLog()
        self.under_way = ShieldedTasks()
        self._uploads = Uploads()
        self._forwarded_told = False
        branding = Branding(settings.copyright, settings.brand_logo_url)
        self._answers = ResponseFactory(branding, ZoneInfo(settings.time_zone))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        started = time.perf_counter()
        self._readiness.asked()
        base = self._base(scope)
        spelling = self._said.spelling_of(scope, base)
        said = self._said.get(spelling, self._ring.keyring, time.monotonic())
        if said is not None:
            trace_id = new_trace_id()
            self._requests.write_cached(said.line, trace_id, started)
            if said.seen is not None:  # before it is written, as any other: how slowly a client reads is not ours
                said.seen(trace_id, scope, started)
            body = said.before + trace_id.encode() + said.after
            await write_answer(scope, send, HTTPStatus.OK.value, said.headers, body)
            return
        query = parse_query(scope["query_string"])
        path = redact_path(scope["raw_path"], self._ring.keyring.has) + ("?key=***" if query.key else "")
        trace = RequestTrace(new_trace_id(), scope["method"], path)
        CURRENT.set(trace)
        if self._watch is not None:
            self._watch.begin(trace, scope, started)
        if scope["method"] == "OPTIONS" and self._settings.cors_origins:
            trace.operation, response = PREFLIGHT, preflight(scope)
        else:
            response = await self._answer(scope, RequestBody(scope, receive), query, trace, spelling)
        self._requests.log(trace, response.status_code, started)
        if self._watch is not None:
            self._watch.end(trace, response.status_code, started)
        await write_answer(scope, send, response.status_code, response.raw_headers, bytes(response.body))

    def refuse(self, trace_id: str) -> Response:
        """The answer to bytes that are no request."""
        return self._answers.error(ErrorCode.NOT_HTTP, Format.JSON, trace_id)

    async def _answer(
        self, scope: Scope, body: RequestBody, query: QueryParameters, trace: RequestTrace, spelling: bytes
    ) -> Response:
        try:
            return await self._good_answer(scope, body, query, trace, spelling)
        except ApiError as error:
            return self._error(error.code, query, trace, error)
        except MalformedRowError as error:
            # The row is told of once, but each answer promises details under its traceId.
            log.warning("%s", error, extra={"trace_id": trace.trace_id, "account": trace.account})
            return self._error(ErrorCode.CORRUPT_RECORD, query, trace)
        except StorageError as error:
            self._faults.log(error, trace)
            rejected = error.fault is StorageErrorCode.REJECTED
            return self._error(ErrorCode.REJECTED if rejected else ErrorCode.STORAGE_UNAVAILABLE, query, trace)
        except Exception:
            log.exception("unforeseen error", extra={"trace_id": trace.trace_id})
            return self._error(ErrorCode.INTERNAL_ERROR, query, trace)

    async def _good_answer(
        self, scope: Scope, body: RequestBody, query: QueryParameters, trace: RequestTrace, spelling: bytes
    ) -> Response:
        call = parse_path(scope["raw_path"], scope["method"])
        trace.operation = call.operation.value
        ring = self._ring.keyring
        grant = await self._authenticate(query.key, scope)
        trace.account, trace.key = grant.account, grant.name
        authorize(call, grant, query)
        caller = self._caller(scope, body, query, grant)
        place = self._said.cache_key(scope, self._base(scope), query, call)
        if call.operation in REMEMBERED:
            self._said.spell(spelling, place)
            said = self._said.find_at(place, ring, time.monotonic())
            if said is not None:
                caller.account.circuit_breaker.watch.read("remembered")
                return self._again(said, query, trace)
        answer = await self._perform(call, caller)
        if not isinstance(answer, JobsResult):
            return self._said_once(answer, query, trace)
        return await self._found(answer, query, trace, place, (ring, grant))

    async def _found(
        self,
        answer: JobsResult,
        query: QueryParameters,
        trace: RequestTrace,
        place: bytes,
        asked: tuple[KeyRing, KeyGrant],
    ) -> Response:
        # The record is unchanged, or another request that waited for the same read has rendered it.
        said = self._said.get_for(place, answer.cache_entry, asked[0], time.monotonic())
        if said is None and answer.size <= AT_ONCE:
            response = self._answers.found(answer, query.format, trace.trace_id)
            said = self._keep(response, answer, trace, place, asked)
        elif said is None:
            # In a thread, one rendering at a time for each account: a waiting request may find it rendered.
            async with self._rendering.setdefault(asked[1].account, asyncio.Lock()):
                said = self._said.get_for(place, answer.cache_entry, asked[0], time.monotonic())
                if said is None:
                    response = await asyncio.to_thread(self._answers.found, answer, query.format, trace.trace_id)
                    said = self._keep(response, answer, trace, place, asked)
        return self._again(said, query, trace)

    def _keep(
        self, response: Response, answer: JobsResult, trace: RequestTrace, place: bytes, asked: tuple[KeyRing, KeyGrant]
    ) -> CachedResponse:
        ring, grant = asked
        before, after = bytes(response.body).split(trace.trace_id.encode(), 1)
        validity = CacheValidity(ring, grant.expires, answer.cache_entry, answer.links_until())
        line = self._requests.line(trace.for_cache_hit(trace.trace_id), response.status_code)
        seen = None if self._watch is None else self._watch.record_cached(trace, response.status_code)
        said = CachedResponse(before, after, response.raw_headers, line, validity, seen)
        self._said.put(place, said)
        return said

    def _again(self, said: CachedResponse, query: QueryParameters, trace: RequestTrace) -> Response:
        return self._answers.from_rendered(said.before + trace.trace_id.encode() + said.after, query.format)

    def _said_once(
        self, answer: Redirect | CreatedJob | RawDocument | Accepted, query: QueryParameters, trace: RequestTrace
    ) -> Response:
        """An answer that nobody remembers: the next request asks storage, or creates another job."""
        match answer:
            case Redirect():
                return self._answers.redirect(answer)
            case CreatedJob():
                return self._answers.created(answer, query.format, trace.trace_id)
            case RawDocument():
                return self._answers.document(answer)
            case Accepted():
                return self._answers.accepted()

    def _base(self, scope: Scope) -> str:
        """The base of the links that stay on the proxy."""
        url = self._settings.public_url
        if self._settings.link_scheme == "public":
            return url
        # Some gateways call it wss where the client asks for a web socket.
        scheme = "https" if scope["scheme"] in {"https", "wss"} else "http"
        return scheme + url[url.index(":") :]

    def _caller(self, scope: Scope, body: RequestBody, query: QueryParameters, grant: KeyGrant) -> CallContext:
        async def has_key(key: bytes) -> bool:
            try:
                return (await self._authenticate(key, scope)).account == grant.account
            except ApiError as error:
                if error.code is ErrorCode.TOO_MANY_KEYS:
                    raise
                return False

        base, accounts = self._base(scope), self._ring.accounts
        return CallContext(grant, base, accounts, self._settings, query, body, self.under_way, self._uploads, has_key)

    async def _perform(self, call: ApiCall, caller: CallContext) -> Result:
        if call.operation in OWN_DEADLINES:
            return await HANDLERS[call.operation](call, caller)
        async with storage_deadline(self._settings.storage_timeout):
            return await HANDLERS[call.operation](call, caller)

    async def _authenticate(self, key: bytes | None, scope: Scope) -> KeyGrant:
        if key is None:
            raise ApiError(ErrorCode.NO_KEY)
        digest, address = digest_of(key), (scope.get("client") or ("",))[0]
        if not self._forwarded_told and not self._settings.trusted_proxies and _is_forwarded(scope):
            self._forwarded_told = True
            log.warning("X-Forwarded-For is not trusted: set PROXY_TRUSTED_PROXIES if a proxy of yours is in front")
        seconds = self._guessing.delay(address, digest)
        if seconds is None:
            raise ApiError(ErrorCode.TOO_MANY_KEYS)
        if seconds:
            await asyncio.sleep(seconds)
        try:
            grant = self._ring.keyring.grant_of(digest, datetime.now(UTC))
        except ApiError as error:
            # An expired key is no guess.
            told = (
                self._guessing.record_failure if error.code is ErrorCode.UNKNOWN_KEY else self._guessing.record_success
            )
            told(address, digest)
            raise
        self._guessing.record_success(address, digest)
        return grant

    def _error(
        self, code: ErrorCode, query: QueryParameters, trace: RequestTrace, error: ApiError | None = None
    ) -> Response:
        trace.error = code.name
        if self._watch is not None:
            self._watch.refused(code)
        if error is None:
            return self._answers.error(code, query.format, trace.trace_id)
        return self._answers.error(code, query.format, trace.trace_id, error.allow, error.values)


def _is_forwarded(scope: Scope) -> bool:
    return any(name == b"x-forwarded-for" for name, _ in scope["headers"])
