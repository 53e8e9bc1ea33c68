"""Logging to standard error, as JSON lines or as text, with secrets masked."""

import asyncio
import logging
import re
import sys
from abc import abstractmethod
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple, TextIO

import orjson

from proxy.text import single_line

# What may get into a line by mistake: a key or a signature in a query, an account key in a connection string, a token,
# each as a parameter, as a member of JSON or as an assignment.
_SECRETS = re.compile(
    r"((?:\b|_|%3f|%26)(?:key|sig|accountkey|sharedaccesssignature|(?:client_)?(?:secret|assertion)|(?:access|refresh|id)_token)"
    r"(?:=|%3d|[\"']?\s*[:=]\s*[\"']?)|\b(?:bearer|sharedkey(?:lite)?) )[^\s&;\"'<>\\]+",
    re.IGNORECASE,
)

# The attributes that the code adds to a record, in the order of the line, and the members that they become.
FIELDS = {
    "trace_id": "traceId",
    "operation": "operation",
    "method": "method",
    "path": "path",
    "account": "account",
    "key_name": "key",
    "partition_key": "partition_key",
    "row_key": "row_key",
    "status": "status",
    "error": "error",
    "agent": "agent",
    "network": "network",
    "hint": "hint",
    "suppressed": "suppressed",
    "details": "details",
    "duration_ms": "duration_ms",
    "storage_calls": "storage_calls",
    "storage_ms": "storage_ms",
    "cache_hit": "cache_hit",
}

# A line of text has these in its message already.
IN_THE_MESSAGE = frozenset(("operation", "status"))

# These loggers may print what they send and get, including tokens, so they are disabled. `RateLimitedErrorLog` logs
# storage errors instead. The loggers of OpenTelemetry repeat the collector's token and the headers of clients.
SILENT = (
    "azure",
    "msal",
    "aiohttp",
    "urllib3",
    "opentelemetry.util.re",
    "opentelemetry.baggage",
    "opentelemetry.trace.span",
)
QUIET = ("asyncio", "opentelemetry", "uvicorn")

# Seconds that the line of a request may wait for others, and how many lines wait at most.
FLUSH_SECONDS = 0.1
LINES_AT_ONCE = 256


def mask(text: str) -> str:
    """Replaces everything that looks like a secret."""
    return _SECRETS.sub(r"\1***", text)


class LogLine(NamedTuple):
    """What a line says, without secrets. `created` is in seconds since 1970."""

    created: float
    level: str
    logger: str
    message: str
    fields: Mapping[str, object]
    traceback: str = ""


class LineFormatter(logging.Formatter):
    """Formats a record in two steps, so that the access log can skip the first."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the record as a line, without its end."""
        fields = select_fields({attribute: getattr(record, attribute, None) for attribute in FIELDS})
        traceback = mask(self.formatException(record.exc_info)) if record.exc_info else ""
        level, message = record.levelname.lower(), mask(record.getMessage())
        return self.render(LogLine(record.created, level, record.name, message, fields, traceback))

    @abstractmethod
    def render(self, line: LogLine) -> str:
        """Returns a line as text, without its end."""


class JsonFormatter(LineFormatter):
    """One JSON object a line. A traceback is a member of it."""

    def render(self, line: LogLine) -> str:
        """Returns a line as text, without its end."""
        created, level, logger, message, fields, traceback = line
        members = {"time": time_text(created), "level": level, "logger": logger, "message": message, **fields}
        if traceback:
            members["traceback"] = traceback
        return orjson.dumps(members, default=str).decode()


class TextFormatter(LineFormatter):
    """One line for people. A traceback follows it."""

    def render(self, line: LogLine) -> str:
        """Returns a line as text, without its end."""
        shown = {name: value for name, value in line.fields.items() if name not in IN_THE_MESSAGE}
        members = "".join(f" {name}={single_line(value)}" for name, value in shown.items())
        text = f"{time_text(line.created)} {line.level:7} {single_line(line.message)}{members}"
        return f"{text}\n{line.traceback}" if line.traceback else text


class BufferedHandler(logging.StreamHandler[TextIO]):
    """A stream of lines, some of which may be written together a moment later."""

    def __init__(self, stream: TextIO, formatter: LineFormatter) -> None:
        super().__init__(stream)
        self.setFormatter(formatter)
        self.line_formatter = formatter
        self._pending: list[str] = []

    def write_later(self, line: str) -> None:
        """Writes a line within FLUSH_SECONDS, or before the next record. Needs a running event loop."""
        with self.lock or nullcontext():
            self._pending.append(line + self.terminator)
            if len(self._pending) == 1:
                asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)
            elif len(self._pending) >= LINES_AT_ONCE:
                self.flush()

    def emit(self, record: logging.LogRecord) -> None:
        """Writes a record, after the lines that came before it."""
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001 - what the standard library would print then could hold a secret
            record.msg, record.args, record.exc_info = "a record that can't be formatted", None, None
            line = self.format(record)
        self._pending.append(line + self.terminator)
        self.flush()

    def flush(self) -> None:
        """Writes the pending lines. A log that takes no more, a closed pipe or a full disk, must not fail a request."""
        with self.lock or nullcontext(), suppress(OSError, ValueError):
            lines, self._pending = self._pending, []
            if lines:
                self.stream.write("".join(lines))
            self.stream.flush()


def configure_logs(level: str, form: str, stream: TextIO | None = None) -> None:
    """Sends all logging to standard error, or to the stream given."""
    handler = BufferedHandler(stream or sys.stderr, JsonFormatter() if form == "json" else TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(capture=True)  # otherwise they are lines that are no JSON
    for name in SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # uvicorn reads the level of this logger itself, and logs every connection where it has none.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)


def select_fields(attributes: Mapping[str, object]) -> dict[str, object]:
    """Returns the members of a line that have a value, in their order and without secrets."""
    found = {name: attributes.get(attribute) for attribute, name in FIELDS.items()}
    return {
        name: mask(value) if isinstance(value, str) else value for name, value in found.items() if value is not None
    }


@lru_cache(maxsize=2)
def _second_text(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat(timespec="seconds").removesuffix("+00:00")


def time_text(seconds: float) -> str:
    """Returns seconds since 1970 as a log shows them, to the millisecond."""
    second, milliseconds = divmod(int(seconds * 1000), 1000)
    return f"{_second_text(second)}.{milliseconds:03}Z"
