"""Logging to standard error, as JSON lines or as text, with secrets masked."""

import asyncio
import json
import logging
import re
import sys
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from functools import lru_cache
from typing import TextIO

from proxy.text import single_line

# Whatever gets here by mistake: a key or a signature in a query, an account key in a connection string, a token,
# each as a parameter, as a member of JSON or as an assignment.
_SECRETS = re.compile(
    r"((?:\b|_|%3f|%26)(?:key|sig|accountkey|sharedaccesssignature|(?:client_)?(?:secret|assertion)|(?:access|refresh|id)_token)"
    r"(?:=|%3d|[\"']?\s*[:=]\s*[\"']?)|\b(?:bearer|sharedkey(?:lite)?) )[^\s&;\"'<>\\]+",
    re.IGNORECASE,
)

# Attributes that the code adds to a record, in the order in which they are shown, and what they are called there.
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
    "advice": "advice",
    "more": "more",
    "ms": "ms",
    "storage_calls": "storage_calls",
    "storage_ms": "storage_ms",
    "cache_hit": "cache_hit",
}

# What the message of a request's line says already; people need not read it twice.
IN_THE_MESSAGE = frozenset(("operation", "status"))

# Libraries that tell of what they send and get, tokens included. What went wrong with storage we tell ourselves, by
# type and code; of the others only that something did.
# Those of OpenTelemetry that are named repeat headers as they are: the collector's token, and whatever a client sent.
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


# How long a request's line may wait for others, and how many wait at the most.
FLUSH_SECONDS = 0.1
LINES_AT_ONCE = 256


def mask(text: str) -> str:
    """The text with everything that looks like a secret replaced."""
    return _SECRETS.sub(r"\1***", text)


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line; a traceback is one member of it."""
        members: dict[str, object] = {"time": _time(record), "level": record.levelname.lower(), "logger": record.name}
        members |= {"message": mask(record.getMessage())} | _fields(record)
        if record.exc_info:
            members["traceback"] = mask(self.formatException(record.exc_info))
        return json.dumps(members, ensure_ascii=False, default=str)


class TextFormatter(logging.Formatter):
    """One line for people, a traceback below it."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        shown = {name: value for name, value in _fields(record).items() if name not in IN_THE_MESSAGE}
        fields = "".join(f" {name}={single_line(value)}" for name, value in shown.items())
        text = f"{_time(record)} {record.levelname.lower():7} {single_line(mask(record.getMessage()))}{fields}"
        return text + ("\n" + mask(self.formatException(record.exc_info)) if record.exc_info else "")


class BufferedHandler(logging.StreamHandler[TextIO]):
    """A stream of lines, some of which may be written together a moment later."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._later: list[str] = []

    def write_later(self, line: str) -> None:
        """Writes a whole line within FLUSH_SECONDS, or before the next record. Needs a running event loop."""
        with self.lock or nullcontext():
            self._later.append(line)
            if len(self._later) == 1:
                asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)
            elif len(self._later) >= LINES_AT_ONCE:
                self.flush()

    def emit(self, record: logging.LogRecord) -> None:
        """Writes a record, after the lines that came before it."""
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001 - what the standard library would print then could hold a secret
            record.msg, record.args, record.exc_info = "a record that can't be formatted", None, None
            line = self.format(record)
        self._later.append(line + self.terminator)
        self.flush()

    def flush(self) -> None:
        """Writes what was put off. A log that takes no more, a closed pipe or a full disk, must not fail a request."""
        with self.lock or nullcontext(), suppress(OSError, ValueError):
            lines, self._later = self._later, []
            if lines:
                self.stream.write("".join(lines))
            self.stream.flush()


def configure_logs(level: str, form: str, stream: TextIO | None = None) -> None:
    """Sends all logging to standard error, or to the stream given."""
    handler = BufferedHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(capture=True)  # else they would be lines that are no JSON
    for name in SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # uvicorn asks this logger for its own level, and tells of every connection where it has none.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    found = {name: getattr(record, attribute, None) for attribute, name in FIELDS.items()}
    return {
        name: mask(value) if isinstance(value, str) else value for name, value in found.items() if value is not None
    }


@lru_cache(maxsize=2)
def _second_text(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat(timespec="seconds").removesuffix("+00:00")


def time_text(seconds: float) -> str:
    """Seconds since 1970 as a log shows them, to the millisecond."""
    second, milliseconds = divmod(int(seconds * 1000), 1000)
    return f"{_second_text(second)}.{milliseconds:03}Z"


def _time(record: logging.LogRecord) -> str:
    return time_text(record.created)
