"""One log line for each request, cheap enough to be on by default.

A line of the standard library costs a third of what a whole poll may. So the usual formatter makes a line once for each
operation, account and outcome, and from then on only its time, traceId, path and figures change; and lines are
written a few dozen at a time, at the latest after FLUSH_SECONDS.
"""

import logging
import time
from dataclasses import dataclass

from proxy.observability.logs import BufferedHandler, time_text
from proxy.observability.request_trace import RequestTrace
from proxy.observability.trace_ids import SAMPLE_TRACE_ID

log = logging.getLogger("proxy.request")


PreparedLine = tuple[str, str, str, str]
"""A log line without its time, traceId and milliseconds: what stands before, between and after them."""


@dataclass(frozen=True, slots=True)
class UnformattedLine:
    """What a line says, where the log is not ours to write."""

    trace: RequestTrace
    status: int


Line = PreparedLine | UnformattedLine
"""A line that can be told again."""

# Lines by method, operation, account, key, error and status, without their paths. A method is any word that a client
# likes.
TEMPLATES = 1_000

_SAMPLE_TIME = 0.0
_SAMPLE_PATH = "/sample/path"
_SAMPLE_MS = 123456789.5
_SAMPLE_CALLS = 192837465
_SAMPLE_STORAGE_MS = 918273645.5

_Key = tuple[str, str, str | None, str | None, str | None, int, bool]
_Template = tuple[str, str, str, str, str, str, str]


class AccessLog:
    """Writes the lines of requests to where the log goes."""

    def __init__(self) -> None:
        handlers = logging.getLogger().handlers
        self._handler = next((each for each in handlers if isinstance(each, BufferedHandler)), None)
        self._write = self._handler.write_later if self._handler is not None else _nobody_reads
        self._templates: dict[_Key, _Template] = {}
        self._time = 0, ""

    def log(self, trace: RequestTrace, status: int, started: float) -> None:
        """Tells of a request that began at `started` of the performance counter."""
        self.write_cached(self.line(trace, status), trace.trace_id, started)

    def line(self, trace: RequestTrace, status: int) -> Line:
        """The line of an answer that may be given again."""
        if self._handler is None:
            return UnformattedLine(trace, status)
        key = trace.method, trace.operation, trace.account, trace.key, trace.error, status, trace.cache_hit
        template = self._templates.get(key)
        if template is None:
            template = self._template(self._handler, trace, status)
            if len(self._templates) < TEMPLATES:
                self._templates[key] = template
        first, second, third, fourth, fifth, sixth, last = template
        storage = f"{fifth}{trace.storage_calls}{sixth}{_milliseconds(trace.storage_seconds)}{last}"
        return first, second, f"{third}{trace.path}{fourth}", storage

    def write_cached(self, line: Line, trace_id: str, started: float) -> None:
        """Tells of an answer by its line."""
        if not log.isEnabledFor(logging.INFO):
            return
        if isinstance(line, UnformattedLine):
            fields = _fields(line.trace, trace_id, line.status, _milliseconds(time.perf_counter() - started))
            log.info("%s %s", line.trace.operation, line.status, extra=fields)
            return
        now = time.time()
        milliseconds = int(now * 1000)
        if milliseconds != self._time[0]:
            self._time = milliseconds, time_text(now)
        first, second, third, fourth = line
        ms = (time.perf_counter() - started) * 1000
        self._write(f"{first}{self._time[1]}{second}{trace_id}{third}{ms:.1f}{fourth}\n")

    @staticmethod
    def _template(handler: BufferedHandler, trace: RequestTrace, status: int) -> _Template:
        fields = _fields(trace, SAMPLE_TRACE_ID, status, _SAMPLE_MS) | {
            "path": _SAMPLE_PATH,
            "storage_calls": _SAMPLE_CALLS,
            "storage_ms": _SAMPLE_STORAGE_MS,
        }
        arguments = trace.operation, status
        record = log.makeRecord(log.name, logging.INFO, "", 0, "%s %s", arguments, None, extra=fields)
        record.created = _SAMPLE_TIME
        first, rest = handler.format(record).split(time_text(_SAMPLE_TIME), 1)
        second, rest = rest.split(SAMPLE_TRACE_ID, 1)
        third, rest = rest.split(_SAMPLE_PATH, 1)
        # From the end: what an account is called stands before these.
        rest, last = rest.rsplit(str(_SAMPLE_STORAGE_MS), 1)
        rest, sixth = rest.rsplit(str(_SAMPLE_CALLS), 1)
        fourth, fifth = rest.rsplit(str(_SAMPLE_MS), 1)
        return first, second, third, fourth, fifth, sixth, last


def _nobody_reads(_line: str) -> None: ...


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1)


def _fields(trace: RequestTrace, trace_id: str, status: int, ms: float) -> dict[str, object]:
    return {
        "trace_id": trace_id,
        "operation": trace.operation,
        "method": trace.method,
        "path": trace.path,
        "account": trace.account,
        "key_name": trace.key,
        "status": status,
        "error": trace.error,
        "ms": ms,
        "storage_calls": trace.storage_calls,
        "storage_ms": _milliseconds(trace.storage_seconds),
        "cache_hit": trace.cache_hit,
    }
