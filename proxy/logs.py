"""Logging to standard error, as JSON lines or as text, with secrets masked."""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import TextIO

from proxy.lines import one_line

# Whatever gets here by mistake: a key or a signature in a query, an account key in a connection string, a token,
# each as a parameter, as a member of JSON or as an assignment.
_SECRETS = re.compile(
    r"((?:\b|_|%3f|%26)(?:key|sig|accountkey|sharedaccesssignature|(?:client_)?(?:secret|assertion)|(?:access|refresh|id)_token)"
    r"(?:=|%3d|[\"']?\s*[:=]\s*[\"']?)|\b(?:bearer|sharedkey(?:lite)?) )[^\s&;\"'<>\\]+",
    re.IGNORECASE,
)

# Fields that the code adds to a record, in the order in which they are shown.
FIELDS = ("trace_id", "method", "path", "account", "partition_key", "row_key", "error", "advice", "ms")

# Libraries that tell of what they send and get, tokens included. What went wrong with storage we tell ourselves, by
# type and code; of the others only that something did.
SILENT = ("azure", "msal", "aiohttp", "urllib3")
QUIET = ("asyncio", "uvicorn")


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
        fields = "".join(f" {name}={one_line(value)}" for name, value in _fields(record).items())
        text = f"{_time(record)} {record.levelname.lower():7} {one_line(mask(record.getMessage()))}{fields}"
        return text + ("\n" + mask(self.formatException(record.exc_info)) if record.exc_info else "")


def configure_logs(level: str, form: str, stream: TextIO | None = None) -> None:
    """Sends all logging to standard error, or to the stream given."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # uvicorn asks this logger for its own level, and tells of every connection where it has none.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    found = {name: getattr(record, name, None) for name in FIELDS}
    return {
        name: mask(value) if isinstance(value, str) else value for name, value in found.items() if value is not None
    }


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
