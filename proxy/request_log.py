"""One log line for each request, cheap enough to be on by default.

A line of the standard library costs a third of what a whole poll may. So the line of an answer that is given again is
made once, by the usual formatter, and from then on only its time, traceId and milliseconds change; and lines are
written a few dozen at a time, at the latest after FLUSH_SECONDS.
"""

import logging
import time
from dataclasses import dataclass

from proxy.logs import LineHandler, time_text

log = logging.getLogger("proxy.request")


@dataclass(slots=True)
class Trace:
    """What the log line of a request says."""

    trace_id: str
    method: str
    path: str
    operation: str = "none"
    account: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A log line without its time, traceId and milliseconds; None where nobody reads it."""

    parts: tuple[str, str, str, str] | None
    trace: Trace
    status: int


_SAMPLE_TRACE = "0123456789abcdef" * 2
_SAMPLE_MS = 123456789.5
_SAMPLE_TIME = 0.0


class RequestLog:
    """Writes the lines of requests to where the log goes."""

    def __init__(self) -> None:
        handlers = logging.getLogger().handlers
        self._handler = next((each for each in handlers if isinstance(each, LineHandler)), None)

    def tell(self, trace: Trace, status: int, started: float) -> None:
        """Tells of a request that began at `started` of the performance counter."""
        if log.isEnabledFor(logging.INFO):
            log.info("%s %s", trace.operation, status, extra=_fields(trace, trace.trace_id, _ms(started)))

    def line(self, trace: Trace, status: int) -> Line:
        """The line of an answer that may be given again."""
        if self._handler is None or not log.isEnabledFor(logging.INFO):
            return Line(None, trace, status)
        record = log.makeRecord(
            log.name,
            logging.INFO,
            "",
            0,
            "%s %s",
            (trace.operation, status),
            None,
            extra=_fields(trace, _SAMPLE_TRACE, _SAMPLE_MS),
        )
        record.created = _SAMPLE_TIME
        first, rest = self._handler.format(record).split(time_text(_SAMPLE_TIME), 1)
        second, rest = rest.split(_SAMPLE_TRACE, 1)
        third, fourth = rest.rsplit(str(_SAMPLE_MS), 1)
        return Line((first, second, third, fourth), trace, status)

    def again(self, line: Line, trace_id: str, started: float) -> None:
        """Tells of an answer that was given again."""
        if line.parts is not None and self._handler is not None:
            first, second, third, fourth = line.parts
            self._handler.write_later(
                f"{first}{time_text(time.time())}{second}{trace_id}{third}{_ms(started)}{fourth}\n"
            )
        elif self._handler is None and log.isEnabledFor(logging.INFO):
            trace = line.trace
            log.info("%s %s", trace.operation, line.status, extra=_fields(trace, trace_id, _ms(started)))


def _ms(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)


def _fields(trace: Trace, trace_id: str, ms: float) -> dict[str, object]:
    return {
        "trace_id": trace_id,
        "method": trace.method,
        "path": trace.path,
        "account": trace.account,
        "error": trace.error,
        "ms": ms,
    }
