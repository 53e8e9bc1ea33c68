"""One log line for each request, cheap enough to be on by default.

A line of the standard library costs a third of a whole poll. So a line is rendered without a record, from members that
are serialized once, and lines are written a few dozen at a time, after FLUSH_SECONDS at the latest.
"""

import logging
import time
from collections.abc import Mapping
from typing import NamedTuple

import orjson

from proxy.observability.client import UNKNOWN, Client
from proxy.observability.logs import BufferedHandler, JsonFormatter, LogLine, mask, select_fields, time_text
from proxy.observability.request_trace import RequestTrace

log = logging.getLogger("proxy.request")

# Members without path and figures that lines share. A client may send any word as a method.
MAX_SHARED = 1_000

HIT_FIGURES: Mapping[str, object] = {"storage_calls": 0, "storage_ms": 0.0, "cache_hit": True}
HIT_JSON = '"storage_calls":0,"storage_ms":0.0,"cache_hit":true'

# The members of a line, in the order of logs.FIELDS, around the path.
BEFORE_PATH = ("operation", "method")
AFTER_PATH = ("account", "key", "status", "error")


class SharedMembers(NamedTuple):
    """The members of a line that many lines share, and the same as JSON around the id and the path."""

    message: str
    fields: Mapping[str, object]
    before_id: str
    before_path: str
    after_path: str


class PreparedLine(NamedTuple):
    """What stays the same when a response is served again from the cache. Only the path takes memory of its own."""

    shared: SharedMembers
    path: str


class AccessLog:
    """Writes the lines of requests to where the log goes."""

    def __init__(self) -> None:
        handlers = logging.getLogger().handlers
        self._handler = next((each for each in handlers if isinstance(each, BufferedHandler)), None)
        self._is_json = self._handler is not None and isinstance(self._handler.line_formatter, JsonFormatter)
        self._shared: dict[tuple[str | int | None, ...], SharedMembers] = {}

    def log(self, trace: RequestTrace, status: int, started: float) -> None:
        """Logs a request that began at `started` of the performance counter."""
        storage_ms = _milliseconds(trace.storage_seconds)
        figures = {"storage_calls": trace.storage_calls, "storage_ms": storage_ms, "cache_hit": trace.cache_hit}
        if self._handler is not None:
            self.write(self.prepare(trace, status), trace.trace_id, started, trace.client, figures)
        else:  # an application in a process whose logging is not ours
            figures["duration_ms"] = _milliseconds(time.perf_counter() - started)
            log.info("%s %s", trace.operation, status, extra=_attributes(trace, status) | figures)

    def prepare(self, trace: RequestTrace, status: int) -> PreparedLine:
        """Prepares the line of a request."""
        key = trace.operation, trace.method, trace.account, trace.key, trace.error, status
        shared = self._shared.get(key)
        if shared is None:
            if len(self._shared) >= MAX_SHARED:
                self._shared.clear()
            message = f"{trace.operation} {status}"
            shared = self._shared[key] = _share(message, select_fields(_attributes(trace, status)))
        return PreparedLine(shared, mask(trace.path))

    def write(
        self,
        line: PreparedLine,
        trace_id: str,
        started: float,
        client: Client = UNKNOWN,
        figures: Mapping[str, object] = HIT_FIGURES,
    ) -> None:
        """Logs a request by its prepared line."""
        if self._handler is not None and log.isEnabledFor(logging.INFO):
            now, duration = time.time(), _milliseconds(time.perf_counter() - started)
            message, fields, before_id, before_path, after_path = line.shared
            if self._is_json:
                last = HIT_JSON if figures is HIT_FIGURES else _members(figures)
                path = f"{before_path}{_json(line.path)}{after_path}"
                path += client.json
                text = f'{{"time":"{time_text(now)}{before_id}{trace_id}{path},"duration_ms":{duration},{last}}}'
            else:
                own = {"traceId": trace_id, "path": line.path, **client.fields, "duration_ms": duration}
                members = {**fields, **own, **figures}
                text = self._handler.line_formatter.render(LogLine(now, "info", log.name, message, members))
            self._handler.write_later(text)


def _share(message: str, fields: Mapping[str, object]) -> SharedMembers:
    before_path = _members({name: fields[name] for name in BEFORE_PATH if name in fields})
    after_path = _members({name: fields[name] for name in AFTER_PATH if name in fields})
    start = f'","level":"info","logger":"{log.name}","message":{_json(message)},"traceId":"'
    return SharedMembers(message, fields, start, f'",{before_path},"path":', f",{after_path}")


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _members(fields: Mapping[str, object]) -> str:
    return _json(fields)[1:-1]


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1)


def _attributes(trace: RequestTrace, status: int) -> dict[str, object]:
    return {
        "trace_id": trace.trace_id,
        "operation": trace.operation,
        "method": trace.method,
        "path": trace.path,
        "account": trace.account,
        "key_name": trace.key,
        "status": status,
        "error": trace.error,
        "agent": trace.client.agent,
        "network": trace.client.network,
        "duration_ms": 0.0,
        **HIT_FIGURES,
    }
